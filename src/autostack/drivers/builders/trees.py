"""Copying, linking, sealing and removing trees whose content a stranger decides.

Everything is opened relative to a directory descriptor and no link is followed. Depth is
bounded: a build can nest directories without end.
"""

import errno
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Self

from autostack.drivers.builders.threads import go_on
from autostack.engine.errors import OutOfDisk, TreeRefused

MAX_DEPTH = 200
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 64 * 1024 * 1024
_REMOVAL_LIMIT = 600.0


@dataclass(frozen=True, slots=True)
class Owner:
    """Who made files belong to. None leaves them to us: without root there is nobody else."""

    uid: int | None = None

    def take(self, name: str, fd: int) -> None:
        if self.uid is not None:
            os.chown(name, self.uid, self.uid, dir_fd=fd, follow_symlinks=False)

    def take_open(self, fd: int) -> None:
        if self.uid is not None:
            os.fchown(fd, self.uid, self.uid)


Skip = Callable[[str, int], bool]
"""Whether to leave out a name at a depth (0 is the top)."""


def copy(source: Path, target: Path, *, owner: Owner, skip: Skip, stop: Event) -> None:
    """A copy of `source` at `target`, which must not exist. Devices and sockets are left out."""
    target.mkdir(mode=0o755)
    with _opened(source) as old, _opened(target) as new:
        owner.take_open(new.fd)
        _copy_level(old.fd, new.fd, owner=owner, skip=skip, stop=stop, depth=0)


def link(source: Path, target: Path, *, owner: Owner, stop: Event) -> None:
    """Directories anew for `owner`, files shared: cheap, and none of them can be changed by
    `owner`, because a sealed file belongs to root.
    """
    target.mkdir(mode=0o755)
    with _opened(source) as old, _opened(target) as new:
        owner.take_open(new.fd)
        _link_level(old.fd, new.fd, owner=owner, stop=stop, depth=0)


class _opened:  # noqa: N801 - reads as a verb
    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, _DIRECTORY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


def _copy_level(old: int, new: int, *, owner: Owner, skip: Skip, stop: Event, depth: int) -> None:
    _check_depth(depth)
    for name, kind in _entries(old):
        if skip(name, depth):
            continue
        if stat.S_ISREG(kind.st_mode):
            go_on(stop)
            _copy_file(name, old, new, owner=owner, mode=_mode(kind))
        elif stat.S_ISLNK(kind.st_mode):
            os.symlink(os.readlink(name, dir_fd=old), name, dir_fd=new)
            owner.take(name, new)
        elif stat.S_ISDIR(kind.st_mode):
            with _below(name, old, new, owner) as (inner_old, inner_new):
                _copy_level(
                    inner_old, inner_new, owner=owner, skip=skip, stop=stop, depth=depth + 1
                )


def _link_level(old: int, new: int, *, owner: Owner, stop: Event, depth: int) -> None:
    _check_depth(depth)
    go_on(stop)
    for name, kind in _entries(old):
        if stat.S_ISDIR(kind.st_mode):
            with _below(name, old, new, owner) as (inner_old, inner_new):
                _link_level(inner_old, inner_new, owner=owner, stop=stop, depth=depth + 1)
        else:
            os.link(name, name, src_dir_fd=old, dst_dir_fd=new, follow_symlinks=False)


class _below:  # noqa: N801 - reads as a place
    """A directory of both sides, the new one made."""

    def __init__(self, name: str, old: int, new: int, owner: Owner) -> None:
        os.mkdir(name, mode=0o755, dir_fd=new)
        self._old = os.open(name, _DIRECTORY, dir_fd=old)
        self._new = os.open(name, _DIRECTORY, dir_fd=new)
        owner.take_open(self._new)

    def __enter__(self) -> tuple[int, int]:
        return self._old, self._new

    def __exit__(self, *_: object) -> None:
        os.close(self._old)
        os.close(self._new)


def _entries(fd: int) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(fd) as found:
        entries = list(found)
    for entry in entries:
        yield entry.name, entry.stat(follow_symlinks=False)


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise TreeRefused("…", f"directories are nested more than {MAX_DEPTH} deep")


def _mode(kind: os.stat_result) -> int:
    """No set-uid, nothing writable for others: only whether it is a program is kept."""
    return 0o755 if kind.st_mode & 0o111 else 0o644


def _copy_file(name: str, old: int, new: int, *, owner: Owner, mode: int) -> None:
    source = os.open(name, _READ, dir_fd=old)
    try:
        target = os.open(name, _WRITE, mode, dir_fd=new)
        try:
            _pour(source, target)
            os.fchmod(target, mode)
            owner.take_open(target)
        finally:
            os.close(target)
    finally:
        os.close(source)


def _pour(source: int, target: int) -> None:
    """The kernel copies, and shares blocks where the file system can."""
    try:
        while os.copy_file_range(source, target, _CHUNK):
            pass
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise OutOfDisk("the source tree") from None
        while chunk := os.read(source, 1024 * 1024):
            os.write(target, chunk)


def seal(path: Path, *, owner: Owner, writable: Skip, stop: Event) -> int:
    """Take a tree from the build's user; returns its size in bytes.

    Files and directories become ours and readable for all; set-uid bits go, and so does what is
    neither file, link nor directory. What `writable` picks may be written by anybody who gets
    there: a runtime lays it beneath a copy-on-write view, where modes decide.
    """
    with _opened(path) as top:
        owner.take_open(top.fd)
        os.fchmod(top.fd, 0o777 if writable("", 0) else 0o755)
        return _seal_level(top.fd, owner=owner, writable=writable, stop=stop, depth=0)


def nothing(name: str, depth: int) -> bool:  # noqa: ARG001 - a Skip
    return False


def _seal_level(fd: int, *, owner: Owner, writable: Skip, stop: Event, depth: int) -> int:
    _check_depth(depth)
    go_on(stop)
    size = 0
    for name, kind in _entries(fd):
        more = 0o222 if writable(name, depth) else 0
        if stat.S_ISDIR(kind.st_mode):
            below = writable if more else nothing
            size += _seal_directory(name, fd, owner=owner, writable=below, stop=stop, depth=depth)
        elif stat.S_ISREG(kind.st_mode):
            size += kind.st_blocks * 512
            _seal_file(name, fd, kind, owner=owner, mode=_mode(kind) | more)
        elif stat.S_ISLNK(kind.st_mode):
            owner.take(name, fd)
        else:
            os.unlink(name, dir_fd=fd)
    return size


def _seal_directory(
    name: str, fd: int, *, owner: Owner, writable: Skip, stop: Event, depth: int
) -> int:
    # First this: a normal user cannot open a directory without a mode. It is no link, and
    # nothing of the build runs any more that could make it one.
    os.chmod(name, 0o755, dir_fd=fd)  # noqa: S103 - readable is meant
    inner = os.open(name, _DIRECTORY, dir_fd=fd)
    try:
        owner.take_open(inner)
        if writable("", depth + 1):
            os.fchmod(inner, 0o777)
        return _seal_level(inner, owner=owner, writable=writable, stop=stop, depth=depth + 1)
    finally:
        os.close(inner)


def _seal_file(name: str, fd: int, kind: os.stat_result, *, owner: Owner, mode: int) -> None:
    if owner.uid is not None and (kind.st_uid, kind.st_gid) != (owner.uid, owner.uid):
        owner.take(name, fd)
    if stat.S_IMODE(kind.st_mode) != mode:
        os.chmod(name, mode, dir_fd=fd)


def give(path: Path, uid: int, *, stop: Event) -> None:
    """Make a directory of ours, and all below, belong to a build's user."""
    owner = Owner(uid)
    with _opened(path) as top:
        owner.take_open(top.fd)
        _give_level(top.fd, owner, stop=stop, depth=0)


def _give_level(fd: int, owner: Owner, *, stop: Event, depth: int) -> None:
    _check_depth(depth)
    go_on(stop)
    for name, kind in _entries(fd):
        owner.take(name, fd)
        if stat.S_ISDIR(kind.st_mode):
            inner = os.open(name, _DIRECTORY, dir_fd=fd)
            try:
                _give_level(inner, owner, stop=stop, depth=depth + 1)
            finally:
                os.close(inner)


def refuse_links_out(top: Path) -> None:
    """For trees a file server reads on the host itself: a link must end beneath `top`."""
    real = top.resolve()
    for directory, names, files in os.walk(real):
        for name in (*names, *files):
            path = Path(directory, name)
            if path.is_symlink() and not path.resolve().is_relative_to(real):
                raise TreeRefused(str(path.relative_to(real)), "the link leads out of the site")


def remove(path: Path) -> None:
    """Also what is nested deeper than Python's own removal can go."""
    subprocess.run(
        ["/bin/rm", "-rf", "--one-file-system", "--", str(path)],
        check=False,
        timeout=_REMOVAL_LIMIT,
        capture_output=True,
    )


def size(root: Path, *, stop: Event) -> int:
    """Bytes on disk of all that is below, roughly: a tree that is changed meanwhile can only make
    its own build fail.
    """
    total, ahead = 0, [root]
    while ahead:
        go_on(stop)
        with suppress(OSError), os.scandir(ahead.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        ahead.append(Path(entry.path))
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
