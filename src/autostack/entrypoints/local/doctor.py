"""`autostack doctor`: what this machine offers, and what to do about what is missing."""

import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from autostack.core import domain, host
from autostack.core.errors import AutostackError
from autostack.core.settings import Settings
from autostack.drivers.machine import isolation
from autostack.drivers.machine.identity import noted
from autostack.drivers.machine.sandbox import Machine
from autostack.entrypoints.local import house, sockets

_LIMIT = 10.0
_LITTLE_MEMORY = 900
_EARLIEST = 1_760_000_000
"""A clock before this (October 2025) is wrong: this code is younger."""


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """It works, with less."""
    PROBLEM = "problem"
    """The platform does not start, or cannot deploy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check's outcome, in words."""

    name: str
    verdict: Verdict
    detail: str
    hint: str = ""


def examine(settings: Settings) -> Sequence[Finding]:
    """Every check; none changes anything."""
    checks: Sequence[Callable[[Settings], Finding]] = (
        _python,
        _git,
        _ports,
        _domain,
        _disk,
        _memory,
        _clock,
        _certificates,
    )
    return [*(check(settings) for check in checks), *_isolation(settings)]


def as_json(finding: Finding) -> dict[str, str]:
    return {**asdict(finding), "verdict": finding.verdict.value}


def _ok(name: str, detail: str) -> Finding:
    return Finding(name=name, verdict=Verdict.OK, detail=detail)


def _warning(name: str, detail: str, hint: str) -> Finding:
    return Finding(name=name, verdict=Verdict.WARNING, detail=detail, hint=hint)


def _problem(name: str, detail: str, hint: str) -> Finding:
    return Finding(name=name, verdict=Verdict.PROBLEM, detail=detail, hint=hint)


def _python(_: Settings) -> Finding:
    return _ok("python", f"{sys.version.split()[0]} at {sys.executable}")


def _git(_: Settings) -> Finding:
    found = shutil.which("git")
    if found is None:
        return _problem("git", "not installed", "Install it, for example with `apt install git`.")
    done = subprocess.run(
        [found, "--version"], capture_output=True, text=True, timeout=_LIMIT, check=False
    )
    return _ok("git", done.stdout.strip())


def _isolation(settings: Settings) -> Sequence[Finding]:
    """What keeps apps apart, tried with a real sandbox."""
    # Before the first `up` nothing is taken yet; whether a network can be made shows then.
    taken = host.load(settings.layout) or host.Host(
        bridge="as0", subnet="10.0.0.0/17", first_uid=_first_uid()
    )
    machine = Machine(home=settings.layout, host=taken, unsafe=settings.unsafe_no_sandbox)
    problems = isolation.missing(machine)
    if not problems:
        return [_ok("isolation", "each app has a user, a network and limits of its own")]
    return [_lack(problem, settings) for problem in problems]


def _first_uid() -> int:
    return host.FIRST_UID if os.geteuid() == 0 else os.geteuid()


def _lack(problem: isolation.Problem, settings: Settings) -> Finding:
    """Fatal unless somebody has said in so many words that it does not matter."""
    judge = _problem if problem.fatal and not settings.unsafe_no_sandbox else _warning
    return judge("isolation", problem.what, problem.todo)


def _ports(settings: Settings) -> Finding:
    if noted(settings.layout.run / "supervisor.pid"):
        return _ok("ports", f"{settings.port} and {settings.edge_port}: the platform runs")
    try:
        sockets.listen_api(settings).close()
        sockets.listen_edge(settings).close()
    except AutostackError as error:
        return _problem("ports", str(error), error.hint)
    return _ok("ports", f"{settings.port} and {settings.edge_port} are free")


def _domain(settings: Settings) -> Finding:
    found = domain.apps_domain(settings.base_domain)
    if found is None:
        return _ok("domain", "none: apps answer on this machine only")
    notes = domain.shortfalls(settings.base_domain, settings.edge_port)
    return _warning("domain", f"apps answer below {found}", " ".join(notes))


def _disk(settings: Settings) -> Finding:
    place = next(p for p in (settings.home, *settings.home.parents) if p.exists())
    free = shutil.disk_usage(place).free
    detail = f"{free >> 20} MB free at {place}"
    if free < house.NEEDED:
        return _problem("disk", detail, f"At least {house.NEEDED >> 20} MB are needed.")
    if free < 8 * house.NEEDED:
        return _warning("disk", detail, "Builds and their caches soon fill this.")
    return _ok("disk", detail)


def _memory(_: Settings) -> Finding:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    total = pages * size >> 20
    if total < _LITTLE_MEMORY:
        return _warning("memory", f"{total} MB", "Builds need memory: add swap or take 1 GB.")
    return _ok("memory", f"{total} MB")


def _clock(_: Settings) -> Finding:
    if time.time() < _EARLIEST:
        return _problem(
            "clock",
            f"it says {time.strftime('%Y-%m-%d', time.gmtime())}",
            "Set it (for example with `timedatectl set-ntp true`): certificates and tokens fail.",
        )
    return _ok("clock", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))


def _certificates(_: Settings) -> Finding:
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        return _ok("certificates", str(paths.cafile or paths.capath))
    return _problem(
        "certificates", "no trusted authorities", "Install them: `apt install ca-certificates`."
    )
