"""Programs of this platform that outlived their supervisor.

supervisord cannot adopt them, so those that would get a twin are ended. Apps are not: they go
on serving until the reconciler replaces each by an ordinary rollout.
"""

import signal
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from autostack.core.home import Home
from autostack.drivers.machine.identity import Identity, noted
from autostack.entrypoints.local import sockets
from autostack.entrypoints.local.programs import CONTROL, EDGE, LOGS, POSTGRES, Program, processes

_KILL_LIMIT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    program: Program
    name: str
    process: Identity


def find(home: Home) -> Sequence[Leftover]:
    """Those that still run, in the order in which they should end."""
    found: list[Leftover] = []
    for program in (EDGE, CONTROL, LOGS, POSTGRES):
        for name in processes(program):
            process = noted(home.run / f"{name}.pid")
            if process:
                found.append(Leftover(program=program, name=name, process=process))
    return found


def take_edge_socket(leftovers: Sequence[Leftover], port: int) -> socket.socket | None:
    """The listening socket of an edge that serves without a supervisor."""
    for leftover in leftovers:
        if leftover.program is EDGE:
            taken = sockets.take_over(leftover.process, port)
            if taken:
                return taken
    return None


def end(leftovers: Sequence[Leftover]) -> None:
    """Each by its own stop signal, with its own patience, then for certain.

    The edge's pages come last: until then Traefik sends them requests.
    """
    behind = [each for each in leftovers if each.name != processes(each.program)[0]]
    _end([each for each in leftovers if each not in behind])
    _end(behind)


def _end(leftovers: Sequence[Leftover]) -> None:
    for leftover in leftovers:
        leftover.process.send(signal.Signals[f"SIG{leftover.program.stop_signal}"])
    for leftover in leftovers:
        if not leftover.process.wait(leftover.program.stop_seconds):
            leftover.process.send(signal.SIGKILL)
            leftover.process.wait(_KILL_LIMIT)
