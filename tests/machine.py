"""Parts of the machine that tests may need, and how each is found out."""

import os
import shutil
import sys
from collections.abc import Callable

from tests.systemd import refused

Missing = str | None
"""Why a part is missing, in words; None when it is there."""


def _root() -> Missing:
    return None if os.geteuid() == 0 else "it needs root"


def _linux() -> Missing:
    return None if sys.platform == "linux" else "it needs Linux"


def _program(name: str) -> Callable[[], Missing]:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    return lambda: None if shutil.which(name, path=path) else f"{name} is not installed"


def _docker() -> Missing:
    """The tests start an engine of their own: see tests/docker.py."""
    return _root() or _program("dockerd")() or _program("debootstrap")()


def _loop() -> Missing:
    if missing := _root() or _program("mkfs.ext4")():
        return missing
    return None if os.path.exists("/dev/loop-control") else "there are no loop devices"  # noqa: PTH110


def _systemd() -> Missing:
    """The tests boot a machine of their own: see tests/systemd.py."""
    return (
        _linux() or _root() or _program("systemctl")() or _program("systemd-nspawn")() or refused()
    )


PARTS: dict[str, Callable[[], Missing]] = {
    "linux": _linux,
    "root": _root,
    "docker": _docker,
    "loop": _loop,
    "systemd": _systemd,
    "git": _program("git"),
    "chromium": _program("chromium"),
    "sshd": _program("sshd"),
    "ip": _program("ip"),
    "iptables": _program("iptables"),
    "redis": _program("redis-server"),
    "setpriv": _program("setpriv"),
    "unshare": _program("unshare"),
}
