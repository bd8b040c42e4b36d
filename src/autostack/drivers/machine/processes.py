"""The processes inside a sandbox, seen from outside."""

import json
import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SHELLS = {"sh", "dash", "bash", "ash", "busybox", "zsh", "ksh", "mksh"}
PROC = Path("/proc")
BARE = "bare"
PAUSE = 0.01
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    pid: int
    parent: int
    name: str
    catches: int
    """A bit for each signal it has a handler for."""
    zombie: bool

    @property
    def passes_nothing_on(self) -> bool:
        """A shell without a trap dies of SIGTERM and leaves its child without a word."""
        return self.name in SHELLS and not self.catches & (1 << (signal.SIGTERM - 1))


def init_of(state: Path) -> int | None:
    """The living first process of the sandbox that was started with this state directory."""
    try:
        told = json.loads((state / "init.json").read_text())
        pid = int(told["child-pid"])
        status = (PROC / str(pid) / "status").read_text()
    except (OSError, ValueError, KeyError):
        return None
    if BARE in told:
        return pid if told[BARE] == _started(pid) else None
    fields = _fields(status)
    # The number may have gone to another process since: only ours is number 1 somewhere.
    is_first = fields.get("NSpid", "").split()[1:] == ["1"]
    return pid if is_first and not fields["State"].startswith("Z") else None


def note_bare(state: Path, pid: int) -> None:
    """For a command without a sandbox: its init is known by when it started."""
    draft = state / "init.draft"
    draft.write_text(json.dumps({"child-pid": pid, BARE: _started(pid)}))
    draft.replace(state / "init.json")


def kill_below(init: int) -> None:
    """Each process that `init` started, and what they start meanwhile. A process inside a pid
    namespace ends with its first one anyway.
    """
    for _ in range(100):
        living = [process.pid for process in inside(init)]
        if not living:
            return
        send(living, signal.SIGKILL)
        time.sleep(PAUSE)


def _started(pid: int) -> str | None:
    """In clock ticks since the machine's start; None for what is gone or waits to be reaped."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def inside(init: int) -> list[Process]:
    """Everything that lives in the sandbox but its init."""
    children = _by_parent(_all())
    found: list[Process] = []
    ahead = list(children.get(init, ()))
    while ahead:
        process = ahead.pop()
        found.append(process)
        ahead += children.get(process.pid, ())
    return [process for process in found if not process.zombie]


def resident(top: int | None) -> int:
    """Bytes that everything below a process holds; what two share counts twice."""
    if top is None:
        return 0
    return sum(_resident(process.pid) for process in inside(top))


def _resident(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        return int((PROC / str(pid) / "statm").read_text().split()[1]) * PAGE
    return 0


def addressees(init: int) -> list[int]:
    """Who is told to stop: the app's own process, or what a mere shell has started for it."""
    processes = inside(init)
    children = _by_parent(processes)
    return sorted(_told(children.get(init, ()), children))


def _told(heads: Iterable[Process], children: Mapping[int, list[Process]]) -> Iterator[int]:
    for head in heads:
        below = children.get(head.pid, [])
        if head.passes_nothing_on and below:
            yield from _told(below, children)
        else:
            yield head.pid


def send(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _by_parent(processes: Iterable[Process]) -> dict[int, list[Process]]:
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    return children


def _all() -> Iterator[Process]:
    for entry in os.scandir(PROC):
        if not entry.name.isdigit():
            continue
        with suppress(OSError, KeyError):
            fields = _fields((PROC / entry.name / "status").read_text())
            yield Process(
                pid=int(entry.name),
                parent=int(fields["PPid"]),
                name=fields["Name"],
                catches=int(fields["SigCgt"], 16),
                zombie=fields["State"].startswith("Z"),
            )


def _fields(status: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in status.splitlines())
    return {name: value.strip() for name, _, value in pairs}
