"""Talking to the running supervisor over its socket."""

import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from supervisor.xmlrpc import SupervisorTransport

from autostack.core.home import Home

# supervisord's own numbers (supervisor.xmlrpc.Faults)
_ALREADY_STARTED, _NOT_RUNNING, _BAD_NAME = 60, 70, 10

_AT_ONCE, _TO_ITS_END = False, True

RUNNING, STARTING, STOPPED = "RUNNING", "STARTING", "STOPPED"


class Calls(Protocol):
    """The part of supervisord's interface used here."""

    def getPID(self) -> int: ...  # noqa: N802
    def getAllProcessInfo(self) -> list[Mapping[str, Any]]: ...  # noqa: N802
    def startProcessGroup(self, name: str, wait: bool) -> object: ...  # noqa: N802, FBT001
    def stopProcessGroup(self, name: str, wait: bool) -> object: ...  # noqa: N802, FBT001
    def shutdown(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One program as the supervisor sees it."""

    group: str
    name: str
    state: str
    pid: int | None
    started_at: int
    said: str


class Supervisor:
    """A supervisor that answers; `reach` finds it."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    @property
    def pid(self) -> int:
        return self._calls.getPID()

    def processes(self) -> Sequence[Process]:
        return [_process(info) for info in self._calls.getAllProcessInfo()]

    def start(self, group: str) -> None:
        """Without waiting until it runs."""
        try:
            self._calls.startProcessGroup(group, _AT_ONCE)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != _ALREADY_STARTED:
                raise

    def stop(self, group: str) -> None:
        """Return once it has ended; the supervisor has the deadline."""
        try:
            self._calls.stopProcessGroup(group, _TO_ITS_END)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode not in {_NOT_RUNNING, _BAD_NAME}:
                raise

    def shut_down(self) -> None:
        """Ask it to end everything; returns before it has."""
        self._calls.shutdown()


def reach(home: Home) -> Supervisor | None:
    """None when no supervisor answers there."""
    transport = SupervisorTransport(None, None, f"unix://{home.supervisor_socket}")
    proxy = xmlrpc.client.ServerProxy("http://supervisor", transport=transport)
    calls = cast("Calls", proxy.supervisor)
    try:
        calls.getPID()
    except (OSError, xmlrpc.client.ProtocolError):
        return None
    return Supervisor(calls)


def _process(info: Mapping[str, Any]) -> Process:
    return Process(
        group=str(info["group"]),
        name=str(info["name"]),
        state=str(info["statename"]),
        pid=int(info["pid"]) or None,
        started_at=int(info["start"]),
        said=str(info["spawnerr"] or info["description"]),
    )
