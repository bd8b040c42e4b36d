"""Tar archives from strangers, read with bounds and checked by the rules of `tree`."""

import gzip
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from autostack.drivers.sources.tree import Entry, Kind, TreeLimits, check_entries, check_links
from autostack.drivers.sources.writing import Stopped, Writer, write_tree
from autostack.engine.errors import RepositoryTooLarge, TreeRefused

_PIECE = 1024 * 1024
_HEADER_LIMIT = 1024 * 1024
_BLOCK = 512
_GZIP = b"\x1f\x8b"
_CONTENT = {*tarfile.REGULAR_TYPES, tarfile.LNKTYPE}


class _Header(tarfile.TarInfo):
    """A header whose own data (long names, pax records) is read into memory, so it is bounded."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        assert isinstance(header, cls)
        if header.type not in _CONTENT and header.size > _HEADER_LIMIT:
            raise TreeRefused(header.name[:100], "its header is too large")
        return header


def unpack(archive: Path, final: Path, limits: TreeLimits, *, stopped: Callable[[], bool]) -> None:
    """Make the tree at `final` from a tar or tar.gz file: two passes, the first one decides."""
    try:
        with _plain(archive, limits, stopped) as plain:
            entries = _entries(plain, limits)
            check_entries([entry for entry, _ in entries], limits)
            targets = {entry.path: link for entry, link in entries if entry.kind is Kind.LINK}
            check_links(targets)
            write_tree(final, lambda writer: _fill(writer, plain, targets), stopped=stopped)
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
        raise TreeRefused(archive.name[:12], "it is not a tar archive we can read") from error


@contextmanager
def _plain(archive: Path, limits: TreeLimits, stopped: Callable[[], bool]) -> Generator[IO[bytes]]:
    """The archive, decompressed into an unnamed file that cannot outgrow the limits."""
    with archive.open("rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        if not packed:
            yield file
            return
        with tempfile.TemporaryFile(dir=archive.parent) as out, gzip.open(file) as source:
            room = limits.size + limits.entries * 3 * _BLOCK
            while piece := source.read(_PIECE):
                room -= len(piece)
                if room < 0:
                    raise RepositoryTooLarge(limits.size)
                if stopped():
                    raise Stopped
                out.write(piece)
            yield out


def _entries(plain: IO[bytes], limits: TreeLimits) -> Sequence[tuple[Entry, str]]:
    found: list[tuple[Entry, str]] = []
    for member in _members(plain):
        found.append((_entry(member), member.linkname))
        if len(found) > limits.entries:
            raise TreeRefused(member.name[:100], f"the tree has more than {limits.entries} files")
    return found


def _members(plain: IO[bytes]) -> Iterator[tarfile.TarInfo]:
    plain.seek(0)
    with tarfile.open(fileobj=plain, mode="r:", tarinfo=_Header, errorlevel=2) as tar:
        for member in tar:
            tar.members = []  # type: ignore[attr-defined] # it would keep every header of a large archive
            if _name(member):
                yield member


def _fill(writer: Writer, plain: IO[bytes], targets: Mapping[str, str]) -> None:
    plain.seek(0)
    with tarfile.open(fileobj=plain, mode="r:", tarinfo=_Header, errorlevel=2) as tar:
        for member in tar:
            entry = _entry(member) if _name(member) else None
            source = tar.extractfile(member) if member.isreg() else None
            if entry and source:
                writer.file(entry, source, entry.size)
            elif entry and entry.kind is Kind.FOLDER:
                writer.folder(entry.path)
    writer.links(targets)


def _entry(member: tarfile.TarInfo) -> Entry:
    path = _name(member)
    if member.isdir():
        return Entry(path=path, kind=Kind.FOLDER)
    if member.issym():
        return Entry(path=path, kind=Kind.LINK)
    if not member.isreg() or member.issparse():
        raise TreeRefused(path[:100], "it is neither a plain file, a folder nor a link")
    kind = Kind.PROGRAM if member.mode & 0o100 else Kind.FILE
    return Entry(path=path, kind=kind, size=member.size)


def _name(member: tarfile.TarInfo) -> str:
    """`./a/` is `a`; the archive's own root is nothing."""
    name = member.name
    while name.startswith("./"):
        name = name[2:]
    return "" if name in {".", ""} else os.fsdecode(os.fsencode(name.rstrip("/")))
