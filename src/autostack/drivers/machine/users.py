"""System users for the parts that need no root: made once, found again by name."""

import grp
import pwd
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autostack.core.errors import Unavailable

GROUP = "autostack"
"""Members may reach the database's socket."""

API = "autostack-api"
EDGE = "autostack-edge"
LOGS = "autostack-logs"
STATIC = "autostack-static"
POSTGRES = "autostack-postgres"
GIT = "autostack-git"
"""Whom git and ssh run as while they talk to somebody else's server."""
ALL = (API, EDGE, LOGS, STATIC, POSTGRES, GIT)

_SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"
_LIMIT = 20.0
# Another program may hold the lock of /etc/passwd for a moment.
_TRIES = 5


class UserNotMade(Unavailable):
    def __init__(self, name: str, said: str) -> None:
        super().__init__(f"The system user or group {name!r} could not be made: {said}")
        self.hint = (
            f"Make it yourself (useradd --system --no-create-home {name}), or start AutoStack as "
            "a normal user: then everything runs as that user."
        )


@dataclass(frozen=True, slots=True)
class Account:
    """A user a program runs as."""

    name: str
    uid: int
    gid: int


def ensure_user(name: str) -> Account:
    found = find_user(name)
    if found:
        return found
    argv = ["--system", "--no-create-home", "--home-dir", "/nonexistent", "--user-group"]
    _make(name, ["useradd", *argv, "--shell", "/usr/sbin/nologin", name], find_user)
    made = find_user(name)
    if made is None:
        raise UserNotMade(name, "it is not there after useradd said it was")
    return made


def ensure_group(name: str) -> int:
    found = find_group(name)
    if found is not None:
        return found
    _make(name, ["groupadd", "--system", name], find_group)
    return grp.getgrnam(name).gr_gid


def find_user(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def find_group(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def _make(name: str, argv: Sequence[str], find: Callable[[str], object]) -> None:
    said = "the program is not installed"
    for attempt in range(_TRIES):
        program = shutil.which(argv[0], path=_SBIN)
        if program is None:
            break
        done = subprocess.run(
            [program, *argv[1:]], capture_output=True, text=True, timeout=_LIMIT, check=False
        )
        # A platform starting at the same time may have been quicker.
        if done.returncode == 0 or find(name) is not None:
            return
        said = done.stderr.strip() or f"{argv[0]} ended with {done.returncode}"
        time.sleep(0.2 * (attempt + 1))
    raise UserNotMade(name, said)
