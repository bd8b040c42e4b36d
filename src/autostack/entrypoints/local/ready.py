"""Waiting until the platform serves, or knowing why it will not."""

import http.client
import json
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from autostack.core.home import Home
from autostack.core.settings import Settings
from autostack.entrypoints.local import supervisor
from autostack.entrypoints.local.errors import NotReady, PartFailed, PartRefused
from autostack.entrypoints.local.journal import last_lines
from autostack.entrypoints.local.programs import CONTROL, Program, processes, wanted
from autostack.entrypoints.local.supervisor import Process

LIMIT = 60.0
_PAUSE = 0.1
_HTTP_LIMIT = 3.0
_LONGEST_ANSWER = 65536
# A first try may meet a port or a lock that an ended program is about to give back.
_TRIES = 3


def wait(settings: Settings, *, alive: Callable[[], bool], seconds: float = LIMIT) -> None:
    """Return once every part runs and the API says it is ready; raise what went wrong.

    `alive` tells whether the supervisor runs: it needs a moment before it answers.
    """
    watch, end = _Watch(settings), time.monotonic() + seconds
    while (said := watch.look(alive)) != "":
        if time.monotonic() > end:
            log = settings.layout.platform_log(CONTROL.name)
            lines = last_lines(log)
            raise NotReady(seconds=seconds, said=said, lines=lines, folder=log.parent)
        time.sleep(_PAUSE)


class _Watch:
    """What has been seen of each part so far."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._home = settings.layout
        self._parts = wanted(settings)
        self._tries: dict[str, set[int]] = defaultdict(set)

    def look(self, alive: Callable[[], bool]) -> str:
        """What is missing, in words; nothing when all is well."""
        running = supervisor.reach(self._home)
        if running is None:
            if not alive():
                raise _failed(self._home, "supervisor", "startup", "supervisor")
            return "the supervisor does not answer yet"
        try:
            seen = {process.name: process for process in running.processes()}
        except supervisor.UNREACHABLE:
            return "the supervisor is ending"
        for part in self._parts:
            self._give_up_on(part, seen)
        return _missing(self._parts, seen) or _unready(self._settings)

    def _give_up_on(self, part: Program, seen: dict[str, Process]) -> None:
        for name in processes(part):
            _raise_refusal(self._home, name)
            process = seen.get(name)
            if process is None or process.state == "FATAL":
                raise _failed(self._home, name, part.name)
            if process.state == "BACKOFF":
                self._tries[name].add(process.started_at)
            if len(self._tries[name]) >= _TRIES:
                raise _failed(self._home, name, part.name)


def _missing(parts: Sequence[Program], seen: dict[str, Process]) -> str:
    for part in parts:
        for name in processes(part):
            if seen[name].state != supervisor.RUNNING:
                return f"{name} is {seen[name].state.lower()}"
    return ""


def _unready(settings: Settings) -> str:
    """What the API says is not ready; nothing when it answers 200."""
    asked = http.client.HTTPConnection(reachable(settings.bind), settings.port, timeout=_HTTP_LIMIT)
    try:
        asked.request("GET", "/health/ready")
        answer = asked.getresponse()
        body = answer.read(_LONGEST_ANSWER)
    except (OSError, http.client.HTTPException):
        return "the API does not answer"
    finally:
        asked.close()
    if answer.status == http.HTTPStatus.OK:
        return ""
    return _told(body) or f"the API answers {answer.status}"


def _told(body: bytes) -> str:
    """Which parts are down, as the API itself says."""
    try:
        parts = json.loads(body)["parts"]
        down = [name for name, state in parts.items() if state != "up"]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return f"the API says that these are down: {', '.join(down)}" if down else ""


def is_ready(settings: Settings) -> bool:
    return _unready(settings) == ""


def reachable(bind: str) -> str:
    """An address to ask a program that listens on `bind`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104


def _raise_refusal(home: Home, name: str) -> None:
    try:
        said = json.loads((home.run / f"{name}.refusal").read_text())
    except (FileNotFoundError, ValueError):
        return
    raise PartRefused(said["message"], said["hint"])


def _failed(home: Home, name: str, *logs: str) -> PartFailed:
    for log in logs:
        if lines := last_lines(home.platform_log(log)):
            return PartFailed(name, lines=lines, log=home.platform_log(log))
    return PartFailed(name, lines=(), log=home.platform_log(logs[0]))
