"""`autostack status`: each part of the platform, as the kernel and the supervisor see it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from autostack.core.home import Home
from autostack.core.settings import Settings
from autostack.drivers.machine.identity import noted
from autostack.entrypoints.local import ready, supervisor, words
from autostack.entrypoints.local.programs import processes, wanted
from autostack.entrypoints.local.supervisor import Process

CHILDREN = ("api", "worker")
_UP = frozenset({"running", "starting"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process of the platform; `memory` is its proportional share in bytes."""

    name: str
    state: str
    pid: int | None = None
    uptime: float | None = None
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All of it."""

    up: bool
    ready: bool
    address: str
    home: str
    parts: Sequence[Part]

    def as_json(self) -> Mapping[str, Any]:
        return asdict(self)


def look(settings: Settings) -> Status:
    home = settings.layout
    running = supervisor.reach(home)
    parts = [_from_note(home, "supervisor"), *_supervised(settings, running)]
    parts += [_from_note(home, name) for name in CHILDREN]
    up = all(part.state in _UP for part in parts)
    return Status(
        up=up,
        # Another platform may answer at the same address.
        ready=up and ready.is_ready(settings),
        address=words.address(settings),
        home=str(home.root),
        parts=parts,
    )


def _supervised(settings: Settings, running: supervisor.Supervisor | None) -> list[Part]:
    seen = {process.name: process for process in running.processes()} if running else {}
    return [
        _part(settings.layout, name, process_name, seen)
        for program in wanted(settings)
        for name, process_name in _shown(program.name, processes(program))
    ]


def _shown(program: str, names: Sequence[str]) -> Sequence[tuple[str, str]]:
    """Of several copies the first is the program itself; the second serves the edge's pages."""
    return list(zip([program, *[f"{program}-pages"] * (len(names) - 1)], names, strict=True))


def _part(home: Home, name: str, process: str, seen: Mapping[str, Process]) -> Part:
    if process not in seen:
        # Without its supervisor a program may still run.
        return _from_note(home, process, shown=name)
    # What the supervisor started may stand in for a program that outlived an earlier one.
    own = noted(home.run / f"{process}.pid")
    return _measured(name, seen[process].state.lower(), own.pid if own else seen[process].pid)


def _from_note(home: Home, name: str, *, shown: str | None = None) -> Part:
    found = noted(home.run / f"{name}.pid")
    state = "running" if found else "stopped"
    return _measured(shown or name, state, found.pid if found else None)


def _measured(name: str, state: str, pid: int | None) -> Part:
    if pid is None:
        return Part(name=name, state=state)
    try:
        process = psutil.Process(pid)
        uptime = round(time.time() - process.create_time(), 1)
        memory = _memory([process, *_helpers(name, process)])
    except psutil.Error:
        return Part(name=name, state=state, pid=pid)
    return Part(name=name, state=state, pid=pid, uptime=uptime, memory=memory)


def _helpers(name: str, process: psutil.Process) -> Sequence[psutil.Process]:
    """PostgreSQL's own processes count as one part."""
    return process.children(recursive=True) if name == "postgres" else []


def _memory(family: Sequence[psutil.Process]) -> int:
    return sum(_share(process) for process in family)


def _share(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(full, "pss", full.uss))
