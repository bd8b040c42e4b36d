"""What the platform has to say in the log of an app, among what the app printed itself."""

import os
from pathlib import Path

from autostack.engine.release import MIB

BY = b"[autostack] "


def out_of_memory(limit: int | None) -> str:
    """`limit` in bytes."""
    at = f" at its limit of {limit // MIB} MB" if limit else ""
    return f"killed: out of memory{at}"


def append(output: Path, text: str) -> None:
    """To the file its output goes to, on a line of its own; never through a link."""
    fd = os.open(output, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        # What was read is punched out and reads as zeros.
        whole = size == 0 or os.pread(fd, 1, size - 1) in (b"\n", b"\0")
        os.write(fd, (b"" if whole else b"\n") + BY + text.encode() + b"\n")
    finally:
        os.close(fd)
