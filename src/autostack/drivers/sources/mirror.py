"""The bare mirror of one repository on disk, and who may write to it."""

import asyncio
import fcntl
import os
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from autostack.core.home import Home
from autostack.drivers.sources.command import Place, Remote, ssh_config, ssh_wrapper
from autostack.drivers.sources.running import TookTooLong
from autostack.drivers.sources.writing import remove

WANTED = "refs/autostack/wanted"
_MOST_PACKS = 60
_TREES_KEPT = 5
_IN_USE = 6 * 3600.0
"""Seconds; far longer than a deployment takes from its fetch to the end of its build."""
_OUTGOING = ".outgoing"
_THIN = 5.0
"""Seconds to wait for a repository that is being fetched: its trees are not old ones."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """Directories of one repository under `home.mirrors` and `home.trees`."""

    home: Home
    key: UUID

    @property
    def folder(self) -> Path:
        return self.home.mirrors / str(self.key)

    @property
    def repo(self) -> Path:
        return self.folder / "repo"

    @property
    def known_hosts(self) -> Path:
        """Host keys seen at first contact; a changed one is refused from then on."""
        return self.folder / "known_hosts"

    @property
    def trees(self) -> Path:
        return self.home.trees / str(self.key)

    def tree(self, sha: str) -> Path:
        return self.trees / sha

    @property
    def usable(self) -> bool:
        return (self.repo / "HEAD").is_file() and (self.repo / "objects").is_dir()

    def discard(self) -> None:
        remove(self.repo)

    def sweep(self) -> None:
        """Under the lock: what a killed git left, and mirrors that have grown many packs."""
        packs = self.repo / "objects" / "pack"
        for stale in (*self.repo.rglob("*.lock"), *packs.glob("tmp_*"), *packs.glob(".tmp-*")):
            remove(stale)
        if not self.usable or len(list(packs.glob("*.pack"))) > _MOST_PACKS:
            self.discard()

    def prune(self, *, kept: int = _TREES_KEPT, in_use: float = _IN_USE) -> None:
        """Under the lock: old trees go. The newest stay, and what a build may still read."""
        for tree in _by_age(self.trees)[kept:]:
            if tree.stat().st_mtime < time.time() - in_use:
                # Never half there under its name: that would pass for the whole tree.
                tree.rename(self.trees / _OUTGOING)
                remove(self.trees / _OUTGOING)


async def thin(home: Home, key: UUID, *, kept: int, in_use: float = _IN_USE) -> None:
    """Free the trees of a repository that nothing is at work on; they are made again."""
    mirror = Mirror(home, key)
    if not await asyncio.to_thread(mirror.trees.is_dir):
        return
    async with locked(mirror, seconds=_THIN):
        await asyncio.to_thread(lambda: mirror.prune(kept=kept, in_use=in_use))


def _by_age(trees: Path) -> list[Path]:
    """The newest first. What was being removed when its worker died is removed now."""
    remove(trees / _OUTGOING)
    found = [tree for tree in trees.iterdir() if tree.is_dir()] if trees.is_dir() else []
    return sorted(found, key=lambda tree: tree.stat().st_mtime, reverse=True)


def used(tree: Path) -> bool:
    """Whether it is there; then it is among the newest again."""
    if not tree.is_dir():
        return False
    os.utime(tree)
    return True


@asynccontextmanager
async def locked(mirror: Mirror, *, seconds: float) -> AsyncGenerator[int]:
    """The mirror is ours. The descriptor is handed to git as well, so that a git which outlives
    a killed worker still keeps the next one out until it has ended.
    """
    mirror.folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(mirror.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        await _take(descriptor, seconds)
        yield descriptor
    finally:
        os.close(descriptor)


async def _take(descriptor: int, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not _try(descriptor):  # noqa: ASYNC110 - the other side may be a process
                await asyncio.sleep(0.02)
    except TimeoutError as error:
        raise TookTooLong from error


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def private_place(
    mirror: Mirror, remote: Remote, base: Place, *, uid: int | None
) -> Generator[Place]:
    """A directory of one call: HOME, and for ssh its configuration, key and wrapper. Gone after."""
    mirror.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".call-", dir=mirror.folder) as name:
        folder = Path(name)
        ssh = _write_ssh(folder, mirror, remote, base) if remote.address.scheme == "ssh" else None
        if uid is not None:
            _open(mirror, uid)
            _give(folder, uid)
        yield Place(home=folder, git=base.git, path=base.path, ca_file=base.ca_file, ssh=ssh)


def _write_ssh(folder: Path, mirror: Mirror, remote: Remote, base: Place) -> Path:
    credential = remote.credential
    hosts = mirror.known_hosts
    key: Path | None = None
    if credential and credential.known_hosts:
        hosts = _write(folder / "known_hosts", credential.known_hosts)
    if credential and credential.private_key:
        key = _write(folder / "key", credential.private_key.rstrip() + "\n")
    config = _write(folder / "config", ssh_config(remote, known_hosts=hosts, key=key))
    program = next(
        (one for one in map(Path, base.path.split(":")) if (one / "ssh").is_file()),
        Path("/usr/bin"),
    )
    return _write(folder / "ssh", ssh_wrapper(config, ssh=str(program / "ssh")), mode=0o700)


def _write(path: Path, text: str, *, mode: int = 0o600) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return path


def _open(mirror: Mirror, uid: int) -> None:
    """Let that user pass through to its files, and write down the host keys it sees."""
    mirror.folder.chmod(0o711)
    descriptor = os.open(mirror.known_hosts, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        os.fchown(descriptor, uid, uid)
    finally:
        os.close(descriptor)


def _give(folder: Path, uid: int) -> None:
    os.chown(folder, uid, uid)
    for path in folder.rglob("*"):
        os.chown(path, uid, uid, follow_symlinks=False)
