"""A machine that runs a real systemd, booted by systemd-nspawn.

Its root is this machine's own under an overlay in memory, its network is a loopback of its own:
nothing it does reaches this machine. One process holds all of it, mounts included; when that is
killed, nothing is left but an empty control group, which is removed.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from tests.system import find

CHECKOUT = Path(__file__).parents[1]
AUTOSTACK = str(Path(sys.executable).with_name("autostack"))
CGROUPS = tuple(Path("/sys/fs/cgroup", name) for name in ("systemd", "unified", ""))
"""Where the kernel's hierarchies may be: version 1, both at once, version 2."""
LIMIT = 60.0
REBOOT = 133
"""systemd-nspawn's exit code when what it holds wants to be booted again."""

# What this machine starts by itself is none of the other's business.
_BOOT = f"""
set -e
for place in {" ".join(map(str, CGROUPS))}; do
    [ -f $place/cgroup.procs ] || continue
    mkdir -p $place/$NAME
    echo 0 > $place/$NAME/cgroup.procs
done
mount -t tmpfs -o mode=755 box /mnt
mkdir /mnt/root /mnt/upper /mnt/work /mnt/checkout /mnt/written /mnt/draft
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work box /mnt/root
mount -t overlay -o lowerdir="$CHECKOUT",upperdir=/mnt/written,workdir=/mnt/draft box /mnt/checkout
rm -rf /mnt/root/etc/systemd/system/*.wants /mnt/root/etc/machine-id
: > /mnt/root/etc/machine-id
mkdir -p /run/systemd
mount -t tmpfs run /run/systemd
code={REBOOT}
while [ $code = {REBOOT} ]; do
    code=0
    "$@" || code=$?
done
exit $code
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The machine; paths inside it are those of this one."""

    holder: int
    log: Path

    def run(
        self, *argv: str, given: str | None = None, cwd: str = "/"
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._inside(argv, cwd=cwd), input=given, capture_output=True, text=True,
            timeout=300, check=False, stdin=subprocess.DEVNULL if given is None else None,
        )  # fmt: skip

    def said(self, *argv: str) -> str:
        """What a command that must succeed prints."""
        done = self.run(*argv)
        assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def start(self, *argv: str) -> subprocess.Popen[str]:
        # nsenter has a child where we have one: they end together.
        tied = ("setpriv", "--pdeathsig", "KILL", *argv)
        return subprocess.Popen(self._inside(tied), stdout=subprocess.PIPE, text=True)

    def write(self, path: str, text: str) -> None:
        file = Path(f"/proc/{self._first()}/root{path}")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def reboot(self, *how: str) -> None:
        before = self._first()
        self.run("systemctl", "reboot", *how)
        _until(lambda: self._found() not in {before, None}, "it did not boot again", self.log)
        self.booted()

    def booted(self) -> None:
        """Return once systemd has started all that it starts."""
        _until(self._is_up, "systemd did not come up", self.log)

    def _is_up(self) -> bool:
        if self._found() is None:
            return False
        done = self.run("systemctl", "is-system-running")
        return done.stdout.strip() in {"running", "degraded"}

    def _inside(self, argv: Sequence[str], *, cwd: str = "/") -> list[str]:
        env = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME=/root",
            "LANG=C.UTF-8",
            "AUTOSTACK_HOME=/srv/autostack",
            "AUTOSTACK_SERVER=http://127.0.0.1:8000",
            "AUTOSTACK_PASSWORD=testpassword123",
        ]
        enter = [find("nsenter") or "nsenter", f"--target={self._first()}", "--all"]
        return [*enter, "--", "env", "-i", f"--chdir={cwd}", *env, *argv]

    def _first(self) -> int:
        found = self._found()
        assert found is not None, self.log.read_text()[-3000:]
        return found

    def _found(self) -> int | None:
        """The pid, as it is seen here, of its first process."""
        with suppress(psutil.Error):
            for each in psutil.Process(self.holder).children(recursive=True):
                if each.name() == "systemd-nspawn":
                    inside = [one.pid for one in each.children() if one.name() == "systemd"]
                    return inside[0] if inside else None
        return None


@contextmanager
def box() -> Generator[Box]:
    with tempfile.TemporaryDirectory(prefix="asbox-") as room, _held(Path(room), "--boot") as made:
        made.booted()
        yield made


@cache
def refused() -> str | None:
    """Why no machine can be booted here; None when one can."""
    with tempfile.TemporaryDirectory(prefix="asbox-") as room:
        with _held(Path(room), "/bin/true") as made:
            code = psutil.Process(made.holder).wait(LIMIT)
        said = made.log.read_text().strip().splitlines()
    return f"systemd-nspawn does not work here: {said[-1] if said else code}" if code else None


@contextmanager
def _held(room: Path, *told: str) -> Generator[Box]:
    name = f"asbox-{os.getpid()}-{time.monotonic_ns()}"
    log = room / "console.log"
    with log.open("wb") as console:
        process = subprocess.Popen(
            _argv(*told), stdin=subprocess.DEVNULL, stdout=console, stderr=console,
            env={**os.environ, "NAME": name, "CHECKOUT": str(CHECKOUT)}, start_new_session=True,
        )  # fmt: skip
    try:
        yield Box(holder=process.pid, log=log)
    finally:
        process.kill()
        process.wait(timeout=30)
        _forget(name)


def _argv(*told: str) -> list[str]:
    python = Path(sys.base_prefix)
    apart = python.stat().st_dev != Path("/").stat().st_dev
    return [
        # A test run that is killed takes it along.
        *(find("setpriv") or "setpriv", "--pdeathsig", "KILL"),
        *(find("unshare") or "unshare", "--mount", "--propagation=private"),
        *("--pid", "--fork", "--kill-child", "--mount-proc"),
        *("/bin/sh", "-c", _BOOT, "box"),
        *(find("systemd-nspawn") or "systemd-nspawn", "--directory=/mnt/root", "--machine=box"),
        *("--register=no", "--keep-unit", "--private-network", "--quiet"),
        # As on a machine that is no container: a new supervisor takes over the edge's socket.
        "--system-call-filter=pidfd_getfd",
        f"--bind=/mnt/checkout:{CHECKOUT}",
        *([f"--bind-ro={python}"] if apart else []),
        *told,
    ]


def _forget(name: str) -> None:
    """Its processes end a moment after the one that held them."""
    for place in (each / name for each in CGROUPS):
        end = time.monotonic() + 10
        while place.is_dir() and time.monotonic() < end:
            for folder in sorted(place.rglob("*/"), reverse=True):
                with suppress(OSError):
                    folder.rmdir()
            with suppress(OSError):
                place.rmdir()
            time.sleep(0.05)


def _until(happened: Callable[[], bool], otherwise: str, log: Path) -> None:
    end = time.monotonic() + LIMIT
    while not happened():
        assert time.monotonic() < end, f"{otherwise}:\n{log.read_text()[-3000:]}"
        time.sleep(0.1)
