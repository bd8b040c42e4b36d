"""From what an app printed to what is kept of it: lines, pieces of lines, caps. Pure.

The rate is a bucket: it fills with time and is emptied by what is read. It is capped only while
the reader has caught up, so that what an app printed within the rate while nobody read is kept.
"""

import math
from typing import NamedTuple

from autostack.core.logs.hiding import Hiding
from autostack.core.logs.records import LINE, LONGEST, NOTE, PIECE, Record, cut, encode

MB = 1024 * 1024

_PAUSE = 0.5
"""Seconds of rate that must have come together before a flood is read again."""

_HIDING_RATE = 1_000_000_000
"""Bytes a second, times things to hide: whoever has very many pays with lines, not neighbours."""


class Caps(NamedTuple):
    """Of one stream. `bytes_rate` and `lines_rate` are per second."""

    bytes_rate: int = 10 * MB
    lines_rate: int = 100_000
    burst_seconds: float = 2
    partial_seconds: float = 1
    """How long an unfinished line is held back."""
    roll_at: int = 4 * MB
    segments: int = 64


class Intake:
    """Turns bytes of one spool into records. Times are in seconds, stamps in milliseconds."""

    def __init__(
        self,
        caps: Caps,
        *,
        end: int,
        at: int,
        mark: bytes,
        now: float,
        hiding: Hiding | None = None,
    ) -> None:
        self.end = end
        """Offset of the first byte that is in no record yet."""
        self.pending = b""
        """An unfinished line, which begins at `end`."""
        self.free_until = 0
        """Nothing before this offset is dropped for its rate."""
        self._caps = caps
        self._hiding = hiding or Hiding()
        self._waits_for_more = False
        """What is pending may be half a secret: it is kept once its other half is here."""
        self._at = at
        self._open = mark == PIECE
        self._since = now
        self._filled = now
        self._seconds = caps.burst_seconds
        """What may still be taken, in seconds at the full rate."""
        self._dropping = False
        self._dropped_since = now
        self._held = b""
        """The last lines of what was dropped."""
        self.dropped_lines = 0
        self.dropped_bytes = 0

    @property
    def read_to(self) -> int:
        return self.end + len(self.pending)

    def take(self, data: bytes, *, now: float, at: int) -> bytes:
        """The records of what was read at `read_to`; unfinished text stays pending."""
        self._fill(now)
        self._at = max(self._at, at)
        whole, feed, rest = (self.pending + data).rpartition(b"\n")
        if feed or not self.pending or self._waits_for_more:
            self._since = now
        self._waits_for_more = False
        lines = whole.count(b"\n") + 1 if feed else 0
        if self._over(self.read_to + len(data), size=len(data), lines=lines):
            self._drop(whole + feed, rest, now=now)
            return b""
        self.pending = rest
        blob = self._note() + (self._lines_of(whole) if feed else b"")
        return blob + (self._long() if len(rest) > LONGEST else b"")

    def caught_up(self) -> None:
        """Everything there was is read: unused rate does not pile up beyond the burst."""
        self._seconds = min(self._seconds, self._caps.burst_seconds)

    def due(self) -> float | None:
        """When `flush` has something to say; None while there is nothing."""
        waits = self._caps.partial_seconds
        times = [self._since + waits] if self.pending and not self._waits_for_more else []
        times += [self._dropped_since + waits] if self.dropped_bytes else []
        return min(times, default=None)

    def flush(self, now: float) -> bytes:
        """What waited long enough: an unfinished line, or word of what was dropped."""
        waited = now - self._caps.partial_seconds
        blob = b""
        if self.dropped_bytes and self._dropped_since <= waited:
            blob += self._note()
        if self.pending and self._since <= waited:
            held = 0 if waited == math.inf else self._hiding.begun(self.pending)
            ready = self.pending[: len(self.pending) - held]
            if ready:
                blob += self._note() + self._pieces(ready)
            self.pending = self.pending[len(ready) :]
            self._waits_for_more = held > 0
        return blob

    def _note(self) -> bytes:
        """What was dropped since the last record, as a line the user sees; and the last of it,
        which tells why an app that cried so much has died.
        """
        if not self.dropped_bytes:
            return b""
        held, self._held = self._held, b""
        lines = self.dropped_lines - held.count(b"\n")
        size = self.dropped_bytes - len(held)
        self.end -= len(held)
        self.dropped_lines = self.dropped_bytes = 0
        text = (
            f"… {lines} lines dropped ({size} bytes): more than "
            f"{self._caps.bytes_rate // MB} MB or {self._caps.lines_rate} lines a second"
        )
        blob = encode(Record(self.end, self._at, NOTE, text.encode())) if size else b""
        return blob + (self._lines_of(held[:-1]) if held else b"")

    def _fill(self, now: float) -> None:
        self._seconds += max(0, now - self._filled)
        self._filled = now

    def _over(self, read_to: int, *, size: int, lines: int) -> bool:
        """Whether this goes beyond the rate. A flood is dropped for a while, not in shreds."""
        if read_to <= self.free_until:
            return False
        if self._dropping and self._seconds < _PAUSE:
            return True
        hiding = size * len(self._hiding.forms) / _HIDING_RATE
        cost = max(size / self._caps.bytes_rate, lines / self._caps.lines_rate, hiding)
        self._dropping = cost > self._seconds
        if not self._dropping:
            self._seconds -= cost
        else:
            self._seconds = min(self._seconds, 0.0)
        return self._dropping

    def _drop(self, text: bytes, rest: bytes, *, now: float) -> None:
        if len(rest) > LONGEST:
            text, rest = text + rest, b""
        if not self.dropped_bytes:
            self._dropped_since = now
        self._open = self._open and not text.endswith(b"\n")
        self._held = _last_lines(text)
        self.dropped_lines += text.count(b"\n")
        self.dropped_bytes += len(text)
        self.end += len(text)
        self.pending = rest

    def _lines_of(self, whole: bytes) -> bytes:
        made: list[bytes] = []
        end, at = self.end, self._at
        hide = self._hiding.hide if self._hiding.hide(whole) != whole else _as_it_is
        for line in whole.split(b"\n"):
            end += len(line) + 1
            if self._open:
                # The line feed of a line whose text went ahead is no line of its own.
                self._open = False
                if not line:
                    continue
            if len(line) > LONGEST:
                made += _cut_line(self._hiding.cover(line), end=end, at=at)
            else:
                made.append(b"%d %d - %b\n" % (end, at, hide(line)))
        self.end = end
        return b"".join(made)

    def _long(self) -> bytes:
        """All but the last piece, which grows on. A secret that lies across is in one of them."""
        covered = self._hiding.cover(self.pending)
        last = cut(covered)[-1]
        held = self._hiding.begun(covered[: len(covered) - len(last)])
        ready = len(covered) - len(last) - held
        blob = self._pieces(covered[:ready]) if ready > 0 else b""
        self.pending = covered[max(0, ready) :]
        return blob

    def _pieces(self, text: bytes) -> bytes:
        made: list[bytes] = []
        for piece in cut(self._hiding.cover(text)):
            self.end += len(piece)
            made.append(encode(Record(self.end, self._at, PIECE, piece)))
        self._open = True
        return b"".join(made)


def _as_it_is(line: bytes) -> bytes:
    return line


def _last_lines(text: bytes) -> bytes:
    """Whole lines, at most what fits into one record."""
    if len(text) <= LONGEST:
        return text if text.endswith(b"\n") else b""
    tail = text[-LONGEST:]
    end = tail.rfind(b"\n") + 1
    return tail[tail.find(b"\n") + 1 : end] if end == len(tail) else b""


def _cut_line(line: bytes, *, end: int, at: int) -> list[bytes]:
    """One whole line in several records; `end` is behind its line feed."""
    *first, last = cut(line)
    place = end - len(line) - 1
    made: list[bytes] = []
    for piece in first:
        place += len(piece)
        made.append(encode(Record(place, at, PIECE, piece)))
    return [*made, encode(Record(end, at, LINE, last))]
