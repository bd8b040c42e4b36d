"""Programs of this platform that outlived their supervisor.

supervisord cannot adopt them, so those that would get a twin are ended. Those that answer
visitors get a stand-in instead, and apps go on serving until the reconciler replaces each by an
ordinary rollout.
"""

import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from autostack.core.home import Home
from autostack.drivers.machine.identity import Identity, noted
from autostack.entrypoints.local import sockets
from autostack.entrypoints.local.programs import (
    CONTROL,
    EDGE,
    LOGS,
    OUTLIVING,
    POSTGRES,
    STATIC,
    Program,
    processes,
)

_KILL_LIMIT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    program: Program
    name: str
    process: Identity


def find(home: Home) -> Sequence[Leftover]:
    """Those that still run, in the order in which they should end."""
    found: list[Leftover] = []
    for program in (CONTROL, LOGS, POSTGRES, EDGE, STATIC):
        for name in processes(program):
            process = noted(home.run / f"{name}.pid")
            if process:
                found.append(Leftover(program=program, name=name, process=process))
    return found


def serving(leftovers: Sequence[Leftover]) -> list[Leftover]:
    """Those that answer visitors."""
    return [each for each in leftovers if each.program in OUTLIVING]


def take_edge_socket(leftovers: Sequence[Leftover], port: int) -> socket.socket | None:
    """The listening socket of an edge that serves without a supervisor."""
    for leftover in leftovers:
        taken = sockets.take_over(leftover.process, port) if leftover.program is EDGE else None
        if taken:
            return taken
    return None


def end(leftovers: Sequence[Leftover]) -> None:
    """One after the other, each by its own stop signal and with its own patience, then for
    certain: control needs the database for its last words, and Traefik the edge's pages.
    """
    for leftover in leftovers:
        end_one(leftover.process, leftover.program, seconds=leftover.program.stop_seconds)


def end_one(process: Identity, program: Program, *, seconds: float) -> None:
    """By its own stop signal, and after `seconds` for certain."""
    process.send(signal.Signals[f"SIG{program.stop_signal}"])
    if not process.wait(seconds):
        process.send(signal.SIGKILL)
        process.wait(_KILL_LIMIT)
