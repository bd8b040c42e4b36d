"""A read-only view of a source tree that a stranger wrote.

Everything is opened beneath one directory descriptor and no link is followed, so nothing outside
can be read whatever the tree holds. Sizes, depths and counts are bounded, so reading ends.
"""

import os
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

MAX_FILES = 20_000
MAX_DEPTH = 12
MAX_TEXT = 512 * 1024
"""Bytes; a larger file is cut off for detection only."""
MAX_LOCK = 4 * 1024 * 1024
"""Bytes of a lock file, which is of no use cut off."""
MAX_TOTAL = 64 * 1024 * 1024
"""Bytes read from one tree over its life; after that every file reads as absent."""

SKIPPED = frozenset(
    {
        ".git",
        ".hg",
        ".mypy_cache",
        ".next",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".svn",
        ".tox",
        ".venv",
        "__pycache__",
        "bower_components",
        "node_modules",
        "site-packages",
        "venv",
    }
)
_LOCKS = (".lock", "-lock.json", "-lock.yaml")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Tree:
    """Owns the descriptor of a directory; close it by leaving a `with`."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._texts: dict[str, str | None] = {}
        self._budget = MAX_TOTAL

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        os.close(self._fd)

    def narrow(self, directory: str) -> None:
        """Look only at a directory of this tree (`services/api`) from now on. A link or a way
        out raises OSError or ValueError, like a directory that is not there.
        """
        fd = _open_directory(self._fd, _parts(directory))
        os.close(self._fd)
        self._fd = fd

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Paths of regular files, shallow ones first, at most MAX_FILES."""
        found: list[str] = []
        for path in self._walk():
            found.append(path)
            if len(found) >= MAX_FILES:
                break
        return tuple(found)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.files)

    def has(self, path: str) -> bool:
        return path in self._known

    def first(self, *paths: str) -> str | None:
        """The first of these that is a file."""
        return next((path for path in paths if path in self._known), None)

    def named(self, *names: str) -> tuple[str, ...]:
        return tuple(path for path in self.files if path.rsplit("/", 1)[-1] in names)

    def ending(self, *endings: str) -> tuple[str, ...]:
        return tuple(path for path in self.files if path.endswith(endings))

    def text(self, path: str) -> str | None:
        """Its content, decoded leniently; None where it is no regular file of this tree."""
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def lines(self, path: str) -> list[str]:
        return (self.text(path) or "").splitlines()

    def _read(self, path: str) -> str | None:
        if self._budget <= 0:
            return None
        try:
            data = _read_beneath(self._fd, path)
        except (OSError, ValueError):
            return None
        self._budget -= len(data)
        return _decode(data)

    def _walk(self) -> Iterator[str]:
        waiting = deque([""])
        seen = 0
        while waiting and seen < MAX_FILES * 5:
            directory = waiting.popleft()
            for name, is_directory in self._list(directory):
                seen += 1
                path = f"{directory}/{name}" if directory else name
                if not is_directory:
                    yield path
                elif name not in SKIPPED and path.count("/") < MAX_DEPTH:
                    waiting.append(path)

    def _list(self, directory: str) -> list[tuple[str, bool]]:
        try:
            fd = _open_directory(self._fd, _parts(directory))
        except (OSError, ValueError):
            return []
        try:
            return sorted(_entries(fd))
        finally:
            os.close(fd)


def _entries(fd: int) -> Iterator[tuple[str, bool]]:
    with os.scandir(fd) as entries:
        for count, entry in enumerate(entries):
            if count >= MAX_FILES:
                return
            if not entry.name.isprintable():
                continue
            if entry.is_dir(follow_symlinks=False):
                yield entry.name, True
            elif entry.is_file(follow_symlinks=False):
                yield entry.name, False


def _parts(path: str) -> list[str]:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts or "\0" in path:
        raise ValueError(path)
    return parts


def _open_directory(fd: int, parts: list[str]) -> int:
    """One component at a time: a link anywhere on the way fails."""
    with ExitStack() as opened:
        for part in parts:
            fd = os.open(part, _DIRECTORY, dir_fd=fd)
            opened.callback(os.close, fd)
        return os.dup(fd)


def _read_beneath(fd: int, path: str) -> bytes:
    *directories, name = _parts(path)
    parent = _open_directory(fd, directories)
    try:
        file = os.open(name, _FILE, dir_fd=parent)
    finally:
        os.close(parent)
    with os.fdopen(file, "rb") as stream:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise ValueError(path)
        return stream.read(MAX_LOCK if name.endswith(_LOCKS) else MAX_TEXT)


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        text = data.decode("utf-8-sig", errors="replace")
    # Neither a command nor a variable can hold it.
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
