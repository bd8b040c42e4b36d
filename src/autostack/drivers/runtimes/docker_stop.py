"""Ending what runs in a container, politely first."""

import signal
import time
from typing import Any

from autostack.drivers.machine import processes
from autostack.drivers.machine.docker import Client, shows

TICK = 0.02
SECOND_ROUND = 0.1
"""Seconds after which those left behind by what was told to stop are told too."""


def end(client: Client, seen: dict[str, Any], *, grace: float) -> None:
    """The image's own signal, or SIGTERM; after `grace` seconds the caller removes it by force.

    The engine tells only the container's first process. Where we see the processes themselves
    we tell the app's: a shell in front of it would die alone.
    """
    container, pid = str(seen["Id"]), int(seen["State"]["Pid"])
    wanted = str(seen["Config"].get("StopSignal") or "SIGTERM")
    client.update_container(container, restart_policy={"Name": "no", "MaximumRetryCount": 0})
    if shows(pid, container):
        _tell(pid, _number(wanted), grace=grace)
    else:
        client.kill(container, signal=wanted)
        _until_exited(client, container, grace=grace)


def _tell(init: int, number: int, *, grace: float) -> None:
    told = set(processes.addressees(init))
    processes.send(told, number)
    began = time.monotonic()
    while (living := {process.pid for process in processes.inside(init)}) and (
        time.monotonic() - began < grace
    ):
        if time.monotonic() - began > SECOND_ROUND and not living & told:
            # A shell outlived what it had started, or started something else.
            processes.send(living, signal.SIGTERM)
            told |= living
        time.sleep(TICK)


def _until_exited(client: Client, container: str, *, grace: float) -> None:
    began = time.monotonic()
    while time.monotonic() - began < grace:
        if not client.inspect_container(container)["State"]["Running"]:
            return
        time.sleep(TICK * 5)


def _number(name: str) -> int:
    """As a Dockerfile may write it: `SIGQUIT`, `QUIT` or `3`."""
    if name.isdigit():
        return int(name)
    plain = name.upper().removeprefix("SIG")
    return int(getattr(signal, f"SIG{plain}", signal.SIGTERM))
