"""One line of a segment: where its source stood after it, when it was read, what kind, and its
bytes. The position and the text are one write, so a reader that died resumes exactly.

    <end> <milliseconds> <mark> <text>\\n

`end` is the offset in the spool just behind the line. Text is as it was printed, so it may hold
anything but a line feed.
"""

from typing import NamedTuple

LINE = b"-"
PIECE = b"+"
"""The line goes on in the next record: it was too long, or its end was awaited too long."""
NOTE = b"!"
"""Said by the platform, not by the app: how much was dropped, and why."""
HEAD = b"#"
"""First of each segment: where the spool stood, and which file it was."""

LONGEST = 16 * 1024
"""Bytes of text in one record."""


class Record(NamedTuple):
    end: int
    at: int
    """Milliseconds since 1970, never going back within a stream."""
    mark: bytes
    text: bytes


def encode(record: Record) -> bytes:
    return b"%d %d %b %b\n" % record


def decode(line: bytes) -> Record | None:
    """The record of one line without its line feed; None if it is not one."""
    parts = line.split(b" ", 3)
    if len(parts) != 4:  # noqa: PLR2004 - the format above
        return None
    end, at, mark, text = parts
    if not (end.isdigit() and at.isdigit() and len(mark) == 1):
        return None
    return Record(int(end), int(at), mark, text)


def cut(text: bytes, limit: int = LONGEST) -> list[bytes]:
    """Pieces of at most `limit` bytes that do not tear a UTF-8 character apart."""
    pieces: list[bytes] = []
    while len(text) > limit:
        end = limit
        while end > limit - 4 and text[end] & 0xC0 == 0x80:  # noqa: PLR2004 - UTF-8 continuation
            end -= 1
        pieces.append(text[:end])
        text = text[end:]
    return [*pieces, text]
