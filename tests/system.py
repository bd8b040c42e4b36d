"""Install the parts of the machine that the tests use and the package registries do not carry.

Run by `make test`, and with `slow` by `make test-all`. As root on Debian or Ubuntu it installs what
is missing; elsewhere it names what is missing, and the tests that need it are skipped with that
reason.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A program the tests start, and the Debian package that brings it."""

    program: str
    package: str
    why: str


PARTS = (
    Part(program="git", package="git", why="sources are real repositories"),
    Part(program="sshd", package="openssh-server", why="Git over ssh"),
    Part(program="ip", package="iproute2", why="looking at networks from outside"),
    Part(program="redis-server", package="redis-server", why="several replicas count in one"),
    Part(program="dockerd", package="docker.io", why="the Docker drivers run on an engine"),
    Part(program="iptables", package="iptables", why="that engine sets up its networks with it"),
    Part(program="chromium", package="chromium", why="the dashboard is used in a real browser"),
    Part(program="debootstrap", package="debootstrap", why="base images without a registry"),
)

SLOW_PARTS = (
    *PARTS,
    Part(program="systemctl", package="systemd", why="the service runs under a real systemd"),
    Part(program="systemd-nspawn", package="systemd-container", why="that systemd is booted in it"),
)
"""What the slow tests use."""


def find(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def missing(parts: Sequence[Part]) -> Sequence[Part]:
    return [part for part in parts if find(part.program) is None]


def may_install() -> bool:
    return os.geteuid() == 0 and find("apt-get") is not None


def install(parts: Sequence[Part]) -> None:
    apt = find("apt-get")
    assert apt is not None
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # A package's service must not start: the tests start their own, on ports of their own.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        subprocess.run([apt, "-qq", "update"], check=True, env=env, timeout=300)
        argv = [apt, "-qq", "install", "--yes", "--no-install-recommends"]
        packages = sorted({part.package for part in parts})
        subprocess.run([*argv, *packages], check=True, env=env, timeout=900, stdout=sys.stderr)
    finally:
        if ours:
            policy.unlink()


def main() -> None:
    parts = SLOW_PARTS if "slow" in sys.argv[1:] else PARTS
    absent = missing(parts)
    if absent and may_install():
        install(absent)
        absent = missing(parts)
    for part in absent:
        print(f"missing: {part.program} (package {part.package}): {part.why}")  # noqa: T201


if __name__ == "__main__":
    main()
