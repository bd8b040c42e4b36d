"""How much room there is on a disk, and how much of it must stay free."""

import shutil
from dataclasses import dataclass
from pathlib import Path

MB = 1024 * 1024
GB = 1024 * MB

LEAST, SHARE = 2 * GB, 20
"""Below 2 GB, or a twentieth of the disk, nothing new is built …"""
MOST, SMALL_SHARE = 20 * GB, 5
"""… but never for more than 20 GB, nor for more than a fifth of a small disk."""
END, END_SHARE = 512 * MB, 10
"""A build under way ends when less than this, or a tenth of a small disk, is left."""
RESERVE, RESERVE_SHARE = 64 * MB, 50
"""What the reserve file holds: four segments of PostgreSQL's journal."""


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of one file system; `free` is what a normal user may still write."""

    total: int
    free: int


def space(path: Path) -> Space:
    seen = shutil.disk_usage(path)
    return Space(seen.total, seen.free)


def floor(total: int, asked: int | None = None) -> int:
    """Bytes that must be free before anything new is built; `asked` is the setting, in MB."""
    if asked is not None:
        return asked * MB
    return min(max(LEAST, total // SHARE), MOST, total // SMALL_SHARE)


def end(total: int) -> int:
    """Bytes below which a build under way is ended."""
    return min(END, total // END_SHARE)


def reserve(total: int) -> int:
    return min(RESERVE, total // RESERVE_SHARE)


def words(count: int) -> str:
    """As people say it: 640 MB, 12.4 GB."""
    return f"{count / GB:.1f} GB" if count >= GB else f"{count // MB} MB"
