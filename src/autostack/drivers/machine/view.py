"""A private view of the file system in which chosen paths are reachable by every user.

The interpreter or the platform's home may lie below a directory that only root may traverse
(`/root` is 0700). Changing its mode is not ours to do, so a process takes a mount namespace of
its own, covers such directories with an empty one and binds back what is needed.
"""

# The launcher imports this, and pathlib would cost it 4 ms.
# ruff: noqa: PTH100, PTH101, PTH103, PTH109, PTH110, PTH114, PTH115, PTH116, PTH120, PTH211

import os
import stat
from collections.abc import Iterable, Iterator, Sequence

from autostack.drivers.machine import libc

AnyPath = str | os.PathLike[str]


def enter(paths: Sequence[AnyPath]) -> None:
    """Move this process into a mount namespace in which any user reaches each of `paths`.

    Each path keeps its address and its own mode; nothing else of an untraversable directory
    shows. The host's mounts do not change, and later mounts of the host still arrive. Needs
    root, and a process with one thread.
    """
    leave_host()
    reach(paths)


def leave_host() -> None:
    """Mounts made from now on are this process's and its children's alone."""
    libc.unshare(libc.CLONE_NEWNS)
    libc.mount("none", "/", flags=libc.MS_REC | libc.MS_SLAVE)


def reach(paths: Sequence[AnyPath]) -> None:
    """The second half of `enter`, for a process that has left the host's mounts already."""
    found = [os.path.abspath(path) for path in paths if os.path.exists(path)]
    real = sorted({os.path.realpath(path) for path in found})
    hidden = _outermost(real)
    held = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in _below(hidden, real)}
    links = list(_links(found, hidden))
    mask = os.umask(0o066)  # directories made on the way are 0711
    for directory in hidden:
        cover(directory, size=1 << 20)
    for path, fd in held.items():
        _bring_back(path, fd)
    for link, target in links:
        _link(link, target)
    os.umask(mask)


def cover(directory: str, *, size: int) -> None:
    """Lay an empty file system over it, which others may pass through but not list."""
    flags = libc.MS_NOSUID | libc.MS_NODEV
    libc.mount("tmpfs", directory, "tmpfs", flags, f"mode=0711,size={size}")


def overlay(source: str, place: str) -> None:
    """Show `source` at `place`, where changes stay beside `place` and never reach `source`."""
    beside = os.path.dirname(place)
    upper, work = f"{beside}/upper", f"{beside}/work"
    for directory in (beside, upper, work, place):
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o711)  # noqa: S103 - to be passed through
    os.chmod(upper, 0o777)  # noqa: S103 - the sandbox's user writes here, nobody else gets here
    # Relative and by descriptor: the options show in the app's own list of mounts.
    lower, here = os.open(source, os.O_PATH), os.getcwd()
    os.chdir(beside)
    options = f"lowerdir=/proc/self/fd/{lower},upperdir=upper,workdir=work"
    libc.mount("overlay", place, "overlay", libc.MS_NOSUID | libc.MS_NODEV, options)
    os.chdir(here)
    os.close(lower)


def untraversable(path: AnyPath) -> str | None:
    """The outermost directory on the way to `path` that others may not pass, if any."""
    way = os.path.realpath(path).split("/")
    for depth in range(2, len(way)):
        directory = "/".join(way[:depth])
        if not os.stat(directory).st_mode & stat.S_IXOTH:
            return directory
    return None


def _outermost(paths: Iterable[str]) -> list[str]:
    return sorted({hidden for path in paths if (hidden := untraversable(path))})


def _below(directories: Iterable[str], paths: Iterable[str]) -> Iterator[str]:
    """Those of `paths` that will be covered, without ones that lie in another of them."""
    last = None
    for path in paths:
        if not _inside(path, directories) or (last and _inside(path, [last])):
            continue
        yield path
        last = path


def _inside(path: str, directories: Iterable[str]) -> bool:
    return any(path.startswith(f"{directory}/") for directory in directories)


def _links(paths: Iterable[str], hidden: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Links on the way to `paths` that lie in covered directories, with what they hold."""
    for path in paths:
        yield from ((link, to) for link, to in _followed(path) if _inside(link, hidden))


def _followed(path: str) -> Iterator[tuple[str, str]]:
    """Every link that is followed from `path` to what it really is."""
    passed, ahead = "", path.split("/")
    while ahead:
        name = ahead.pop(0)
        step = f"{passed}/{name}"
        if name == "..":
            passed = os.path.dirname(passed)
        elif name in {"", "."}:
            continue
        elif os.path.islink(step):
            target = os.readlink(step)
            yield step, target
            passed = "" if target.startswith("/") else passed
            ahead = [*target.split("/"), *ahead]
        else:
            passed = step


def _bring_back(path: str, fd: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        os.makedirs(path, exist_ok=True)
    else:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    libc.mount(f"/proc/self/fd/{fd}", path, flags=libc.MS_BIND | libc.MS_REC)
    os.close(fd)


def _link(place: str, target: str) -> None:
    if os.path.lexists(place):
        return
    os.makedirs(os.path.dirname(place), exist_ok=True)
    os.symlink(target, place)
