"""Talking to the running supervisor over its socket."""

import http.client
import time
import xmlrpc.client
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast

from supervisor.xmlrpc import SupervisorTransport

from autostack.core.home import Home
from autostack.drivers.machine.identity import identify

# supervisord's own numbers (supervisor.xmlrpc.Faults)
_ALREADY_STARTED, _NOT_RUNNING, _BAD_NAME = 60, 70, 10

_AT_ONCE = False

UNREACHABLE = (OSError, xmlrpc.client.Error, http.client.HTTPException)

RUNNING, STARTING, STOPPED = "RUNNING", "STARTING", "STOPPED"


class Calls(Protocol):
    """The part of supervisord's interface used here."""

    def getPID(self) -> int: ...  # noqa: N802
    def getAllProcessInfo(self) -> list[Mapping[str, Any]]: ...  # noqa: N802
    def startProcessGroup(self, name: str, wait: bool) -> object: ...  # noqa: N802, FBT001
    def stopProcessGroup(self, name: str, wait: bool) -> object: ...  # noqa: N802, FBT001
    def shutdown(self) -> bool: ...


class OurCalls(Protocol):
    """The part of our own interface in supervisord used here."""

    def states(self) -> object: ...


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

    def __init__(self, calls: Calls, ours: OurCalls) -> None:
        self._calls = calls
        self._ours = ours

    @property
    def pid(self) -> int:
        return self._calls.getPID()

    def processes(self) -> Sequence[Process]:
        # It looks for ended children once a second; asked this way it looks now.
        self._ours.states()
        return [_process(info) for info in self._calls.getAllProcessInfo()]

    def start(self, *groups: str) -> None:
        """Without waiting until they run."""
        for group in groups:
            with _allowing(_ALREADY_STARTED):
                self._calls.startProcessGroup(group, _AT_ONCE)

    def stop(self, *groups: str, seconds: float) -> None:
        """Return once they have ended; after its own deadline the supervisor kills them."""
        found = [process for process in self.processes() if process.group in groups]
        ending = [identify(process.pid) for process in found if process.pid]
        for group in groups:
            with _allowing(_NOT_RUNNING, _BAD_NAME):
                self._calls.stopProcessGroup(group, _AT_ONCE)
        end = time.monotonic() + seconds
        for process in filter(None, ending):
            process.wait(end - time.monotonic())
        self._ours.states()

    def shut_down(self) -> None:
        """Ask it to end everything; returns before it has."""
        self._calls.shutdown()


def reach(home: Home) -> Supervisor | None:
    """None when no supervisor answers there, or one that is ending."""
    transport = SupervisorTransport(None, None, f"unix://{home.supervisor_socket}")
    proxy = xmlrpc.client.ServerProxy("http://supervisor", transport=transport)
    calls = cast("Calls", proxy.supervisor)
    try:
        calls.getPID()
    except UNREACHABLE:
        return None
    return Supervisor(calls, cast("OurCalls", proxy.autostack))


@contextmanager
def _allowing(*codes: int) -> Generator[None]:
    try:
        yield
    except xmlrpc.client.Fault as fault:
        if fault.faultCode not in codes:
            raise


def _process(info: Mapping[str, Any]) -> Process:
    return Process(
        group=str(info["group"]),
        name=str(info["name"]),
        state=str(info["statename"]),
        pid=int(info["pid"]) or None,
        started_at=int(info["start"]),
        said=str(info["spawnerr"] or info["description"]),
    )
