"""Writes a checked tree: into a directory of its own first, then under its name in one step."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from autostack.drivers.sources.tree import Entry, Kind

_PIECE = 1024 * 1024
_INCOMING = ".incoming"


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class Stopped(Exception):  # the caller gave up while we wrote
    pass


@dataclass(slots=True)
class Writer:
    """Fills one fresh directory. Paths were checked by `tree`; nothing is overwritten and no
    link exists before `links`, so no write can follow one.
    """

    root: Path
    stopped: Callable[[], bool]
    _made: set[str] = field(default_factory=set[str])

    def folder(self, path: str) -> None:
        if path and path not in self._made:
            self.folder(path.rpartition("/")[0])
            (self.root / path).mkdir()
            (self.root / path).chmod(0o755)  # whatever the umask is
            self._made.add(path)

    def file(self, entry: Entry, source: Readable, size: int) -> None:
        self.folder(entry.path.rpartition("/")[0])
        mode = 0o755 if entry.kind is Kind.PROGRAM else 0o644
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        out = os.open(self.root / entry.path, flags, mode)
        try:
            self._copy(source, out, size)
            os.fchmod(out, mode)
        finally:
            os.close(out)

    def links(self, targets: Mapping[str, str]) -> None:
        for path in targets:
            self.folder(path.rpartition("/")[0])
        for path, target in targets.items():
            (self.root / path).symlink_to(target)

    def _copy(self, source: Readable, out: int, size: int) -> None:
        left = size
        while left:
            if self.stopped():
                raise Stopped
            piece = source.read(min(left, _PIECE))
            if not piece:
                raise EOFError("the content ended early")
            view = memoryview(piece)
            while view:
                view = view[os.write(out, view) :]
            left -= len(piece)


def write_tree(final: Path, fill: Callable[[Writer], None], *, stopped: Callable[[], bool]) -> None:
    """Make `final` by `fill`, whole or not at all. The caller lets in one at a time."""
    incoming = final.with_name(_INCOMING)
    remove(incoming)
    incoming.mkdir(parents=True)
    incoming.chmod(0o755)
    try:
        fill(Writer(incoming, stopped))
        incoming.rename(final)
    except BaseException:
        remove(incoming)
        raise


def remove(path: Path) -> None:
    """Gone afterwards, whatever it was; not there is fine. Links are not followed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def disk_size(folder: Path) -> int:
    """Bytes of the files below, while others write there."""
    return sum(_sizes(folder))


def _sizes(folder: Path) -> Iterable[int]:
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                yield os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118 - hot loop
            except OSError:
                continue
