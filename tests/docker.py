"""A Docker engine of the tests' own, and base images without any registry.

The engine shares nothing with one that may run here: own directories, own socket, no default
bridge, no rule of the host's firewall touched, no address listened on. Images are made by
debootstrap, once; the archive is kept in `.cache` of the checkout.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from autostack.drivers.machine.docker import Client, Engine, connect
from tests.system import find

BASE = "autostack-test/python:3"
"""Debian with Python 3 and nothing else."""
ARCHIVE = Path(__file__).parents[1] / ".cache" / "docker" / "bookworm-python3.tar"
SUITE = "bookworm"
PACKAGES = "python3,ca-certificates"
USELESS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "var/lib/apt", "var/cache/apt")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass(slots=True, kw_only=True)
class TestEngine:
    """One running dockerd."""

    __test__ = False

    root: Path
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> str:
        return f"unix://{self.root}/docker.sock"

    def stop(self) -> None:
        """As an update of Docker does; containers go on."""
        stop(self.process)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=30)

    def start(self) -> None:
        _forget_the_dead(self.root / "exec" / "containerd" / "containerd.pid")
        self.process = start(self.root)

    @contextmanager
    def client(self) -> Generator[Client]:
        opened = connect(self.host, seconds=120)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def engine() -> Generator[TestEngine]:
    """An engine with the base image, gone again afterwards with everything it made."""
    # Unix socket paths are short, so not below pytest's long temporary directories.
    root = Path(tempfile.mkdtemp(prefix="asdocker-"))
    running: TestEngine | None = None
    try:
        running = TestEngine(root=root, process=start(root))
        _import_base(running)
        try:
            yield running
        finally:
            _clear(running)
    finally:
        if running is not None:
            running.stop()
        _unmount(root)
        shutil.rmtree(root, ignore_errors=True)


def start(root: Path) -> subprocess.Popen[bytes]:
    """Start dockerd (again) on `root` and wait until it answers."""
    (root / "daemon.json").write_text("{}")
    log = (root / "dockerd.log").open("ab")
    with log:
        process = subprocess.Popen(
            _argv(root), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env={"PATH": PATH, "HOME": str(root)}, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + 60
    while not _answers(root):
        if process.poll() is not None or time.monotonic() > deadline:
            stop(process)
            raise RuntimeError((root / "dockerd.log").read_text()[-3000:])
        time.sleep(0.1)
    return process


def _forget_the_dead(file: Path) -> None:
    """Where nobody reaps orphans the containerd of a killed engine stays as a zombie, and the
    next engine would wait for it.
    """
    with suppress(OSError, ValueError, psutil.Error):
        if psutil.Process(int(file.read_text())).status() == psutil.STATUS_ZOMBIE:
            file.unlink()


def _argv(root: Path) -> list[str]:
    return [
        # A test run that is killed takes its engine with it.
        *(find("setpriv") or "setpriv", "--pdeathsig", "TERM"),
        find("dockerd") or "",
        f"--data-root={root}/data",
        f"--exec-root={root}/exec",
        f"--pidfile={root}/docker.pid",
        f"--host=unix://{root}/docker.sock",
        f"--config-file={root}/daemon.json",
        "--bridge=none",
        "--iptables=false",
        "--ip6tables=false",
        "--userland-proxy=false",
        "--live-restore",
        "--shutdown-timeout=5",
    ]


def _answers(root: Path) -> bool:
    return Engine(f"unix://{root}/docker.sock", home=root).answers()


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=10)


def _clear(running: TestEngine) -> None:
    """Containers outlive an engine that restores them; networks leave bridges behind."""
    with running.client() as client:
        for container in client.containers(all=True):
            client.remove_container(container["Id"], force=True)
        for found in client.networks():
            if found["Driver"] == "bridge":
                client.remove_network(found["Id"])


def _unmount(root: Path) -> None:
    inside = [
        line.split()[1]
        for line in Path("/proc/mounts").read_text().splitlines()
        if line.split()[1].startswith(f"{root}/")
    ]
    for place in sorted(inside, reverse=True):
        subprocess.run(["/bin/umount", "--lazy", place], check=False, timeout=30)


def _import_base(running: TestEngine) -> None:
    archive = str(base_archive())
    name, _, tag = BASE.partition(":")
    with running.client() as client:
        client.import_image_from_file(archive, repository=name, tag=tag)


def base_archive() -> Path:
    """The base's file system as a tar, made now or kept from before."""
    if ARCHIVE.exists():
        return ARCHIVE
    ARCHIVE.parent.mkdir(parents=True, exist_ok=True)
    room = Path(tempfile.mkdtemp(prefix="debootstrap-"))
    draft = ARCHIVE.with_suffix(f".{os.getpid()}")
    try:
        _debootstrap(room / "root")
        subprocess.run(
            ["/bin/tar", "-C", str(room / "root"), "-cf", str(draft), "."], check=True, timeout=120
        )
        draft.replace(ARCHIVE)
    finally:
        draft.unlink(missing_ok=True)
        shutil.rmtree(room, ignore_errors=True)
    return ARCHIVE


def _debootstrap(root: Path) -> None:
    subprocess.run(
        [find("debootstrap") or "", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root)],
        check=True,
        timeout=600,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PATH": PATH},
    )
    for name in USELESS:
        shutil.rmtree(root / name, ignore_errors=True)
