"""How long what instances printed is kept: by age, by segments of a stream, by bytes in all."""

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from autostack.core.logs.segments import PACKED, RAW, pack

PLAIN_LOG = ".jsonl"


class Keep(NamedTuple):
    """What is kept at most."""

    seconds: float = 14 * 86_400
    stream_segments: int = 64
    total_bytes: int = 2 * 1024 * 1024 * 1024


class Kept(NamedTuple):
    """One file of a store."""

    path: str
    stream: str
    number: int
    size: int
    written_at: float
    last: bool
    """It is its stream's newest, and says where to read on."""


def surplus(files: Sequence[Kept], keep: Keep, *, now: float) -> list[Kept]:
    """Which files go, oldest first. Never the newest of a stream, unless it is too old."""
    gone = [file for file in files if file.written_at < now - keep.seconds]
    left = sorted(set(files) - set(gone), key=lambda file: (file.written_at, file.number))
    newest = {file.stream: file.number for file in left if file.last}
    too_many = [
        file for file in left if file.number <= newest.get(file.stream, 0) - keep.stream_segments
    ]
    gone += too_many
    left = [file for file in left if file not in set(too_many)]
    total = sum(file.size for file in left)
    for file in left:
        if total <= keep.total_bytes:
            break
        if not file.last:
            gone.append(file)
            total -= file.size
    return gone


def kept_in(store: str) -> list[Kept]:
    return [file for stream in _folders(store) for file in _files(stream)]


def enforce(store: str, keep: Keep, *, now: float, in_use: frozenset[str]) -> int:
    """Remove the surplus; a stream that still has a spool keeps its newest file. Returns the
    number of files removed.
    """
    gone = [
        file
        for file in surplus(kept_in(store), keep, now=now)
        if not (file.last and os.path.basename(file.stream) in in_use)  # noqa: PTH119
    ]
    for file in gone:
        os.unlink(file.path)  # noqa: PTH108
        if file.last:
            _remove_empty(file.stream)
    return len(gone)


class KeepDeployments(NamedTuple):
    """How long logs of deployments are kept, and those of runs."""

    quiet_seconds: float = 7 * 86_400
    """After so long without a line a log is compressed."""
    seconds: float = 180 * 86_400
    total_bytes: int = 2 * 1024 * 1024 * 1024


def enforce_deployments(folder: str, keep: KeepDeployments, *, now: float) -> None:
    """Compress what is quiet, remove what is too old or, oldest first, too much."""
    for path, _, written_at in _logs(folder):
        if path.endswith(PLAIN_LOG) and written_at < now - keep.quiet_seconds:
            pack(path, f"{path}.gz")
            if os.path.exists(f"{path}.gz"):  # noqa: PTH110
                os.utime(f"{path}.gz", (written_at, written_at))
    total = 0
    for path, size, written_at in sorted(_logs(folder), key=lambda one: one[2], reverse=True):
        total += size
        if written_at < now - keep.seconds or total > keep.total_bytes:
            os.unlink(path)  # noqa: PTH108


def _logs(folder: str) -> list[tuple[str, int, float]]:
    """Path, size and time of the last line of each."""
    with os.scandir(folder) as entries:
        found = [(entry.path, entry.stat()) for entry in entries if _is_log(entry.name)]
    return [(path, seen.st_size, seen.st_mtime) for path, seen in found]


def _is_log(name: str) -> bool:
    return name.endswith((PLAIN_LOG, f"{PLAIN_LOG}.gz"))


def _folders(store: str) -> Iterator[str]:
    with os.scandir(store) as entries:
        yield from (entry.path for entry in entries if entry.is_dir(follow_symlinks=False))


def _files(stream: str) -> list[Kept]:
    with os.scandir(stream) as entries:
        found = [
            (int(number), entry.path, entry.stat())
            for entry in entries
            for number, dot, ending in [entry.name.partition(".")]
            if number.isdigit() and f"{dot}{ending}" in {RAW, PACKED}
        ]
    newest = max((number for number, _, _ in found), default=0)
    return [
        Kept(path, stream, number, seen.st_size, seen.st_mtime, number == newest)
        for number, path, seen in found
    ]


def _remove_empty(folder: str) -> None:
    try:
        os.rmdir(folder)  # noqa: PTH106
    except OSError:
        return
