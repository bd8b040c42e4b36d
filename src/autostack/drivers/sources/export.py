"""A commit's tree out of a mirror, without git ever writing a file.

`ls-tree` says all names and sizes, which are checked before `cat-file` is asked for content. No
attribute, filter or hook of the repository is ever looked at.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from autostack.drivers.sources.tree import Entry, Kind, TreeLimits, check_entries, check_links
from autostack.drivers.sources.writing import Writer, write_tree
from autostack.engine.errors import TreeRefused

LINK_LIMIT = 4096
_KINDS = {
    b"100644": Kind.FILE,
    b"100664": Kind.FILE,  # written by very old clients
    b"100755": Kind.PROGRAM,
    b"120000": Kind.LINK,
    b"160000": Kind.SUBMODULE,
}


class MirrorDamaged(Exception):  # caught by the driver, which makes the mirror anew
    pass


def ls_tree_args(sha: str) -> Sequence[str]:
    return ("ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options", sha)


def cat_file_args() -> Sequence[str]:
    return ("cat-file", "--batch", "--buffer")


def parse_tree(out: bytes, limits: TreeLimits) -> Sequence[Entry]:
    """The checked entries of `git ls-tree -r -z -l`."""
    entries = [_entry(record) for record in out.split(b"\0") if record]
    check_entries(entries, limits)
    return entries


def wanted(entries: Sequence[Entry]) -> bytes:
    """What `cat-file --batch` is asked, in the order its answer is read."""
    return b"".join(entry.id.encode() + b"\n" for entry in _with_content(entries))


def write_export(
    final: Path, entries: Sequence[Entry], content: IO[bytes], *, stopped: Callable[[], bool]
) -> None:
    """Make the tree at `final` from the answer of `cat-file --batch`."""

    def fill(writer: Writer) -> None:
        writer.links(_fill_files(writer, entries, content))

    try:
        write_tree(final, fill, stopped=stopped)
    except EOFError as error:
        raise MirrorDamaged(str(error)) from error


def _fill_files(writer: Writer, entries: Sequence[Entry], content: IO[bytes]) -> Mapping[str, str]:
    targets: dict[str, str] = {}
    for entry in entries:
        if entry.kind is Kind.SUBMODULE:
            writer.folder(entry.path)
    for entry, size in _answers(entries, content):
        if entry.kind is Kind.LINK:
            targets[entry.path] = os.fsdecode(content.read(size))
        else:
            writer.file(entry, content, size)
        if content.read(1) != b"\n":
            raise MirrorDamaged("cat-file ended early")
    check_links(targets)
    return targets


def _answers(entries: Sequence[Entry], content: IO[bytes]) -> Iterator[tuple[Entry, int]]:
    for entry in _with_content(entries):
        header = re.fullmatch(rb"([0-9a-f]+) blob ([0-9]+)\n", content.readline(200))
        if header is None or header[1].decode() != entry.id or int(header[2]) != entry.size:
            raise MirrorDamaged(f"no content for {entry.id}")
        yield entry, entry.size


def _with_content(entries: Sequence[Entry]) -> Sequence[Entry]:
    return [entry for entry in entries if entry.kind is not Kind.SUBMODULE]


def _entry(record: bytes) -> Entry:
    facts, _, name = record.partition(b"\t")
    mode, _, oid, size = facts.split()
    path = os.fsdecode(name)
    kind = _KINDS.get(mode)
    if kind is None:
        raise TreeRefused(path, "it is neither a file nor a link")
    found = Entry(path=path, kind=kind, size=int(size) if size != b"-" else 0, id=oid.decode())
    if kind is Kind.LINK and found.size > LINK_LIMIT:
        raise TreeRefused(path, "it is not a link this machine can make")
    return found
