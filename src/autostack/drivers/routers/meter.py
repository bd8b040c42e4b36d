"""What Traefik has counted, by release. Pure but for `Meter.read`, which asks it."""

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from autostack.engine.tally import BOUNDS, NONE, Tally

FRESH = 0.5
"""Seconds for which an answer is good enough for all who ask."""
SECONDS = 3.0
LARGEST = 64 << 20
GATEWAY = frozenset({502, 503, 504})

_COUNT = re.compile(
    r'traefik_service_requests_total\{code="(\d{3})",.*service="release-([0-9a-f-]{36})@file"\}'
    r" (\S+)"
)
_CLASS = re.compile(
    r"traefik_service_request_duration_seconds_bucket\{.*"
    r'protocol="http",service="release-([0-9a-f-]{36})@file",le="([^"]+)"\} (\S+)'
)
_PLACES = {f"{bound:g}": place for place, bound in enumerate(BOUNDS)} | {"+Inf": len(BOUNDS)}


def parse(text: str) -> dict[UUID, Tally]:
    """Each release's tally out of Prometheus' text form."""
    codes: dict[str, list[int]] = defaultdict(lambda: [0] * 5)
    gateway: dict[str, int] = defaultdict(int)
    sums: dict[str, list[int]] = defaultdict(lambda: [0] * (len(BOUNDS) + 1))
    for line in text.splitlines():
        if found := _COUNT.match(line):
            code, release, count = int(found[1]), found[2], round(float(found[3]))
            codes[release][min(4, max(0, code // 100 - 1))] += count
            gateway[release] += count if code in GATEWAY else 0
        elif found := _CLASS.match(line):
            place = _PLACES.get(found[2])
            if place is not None:
                sums[found[1]][place] += round(float(found[3]))
    return {
        UUID(release): Tally(
            codes=tuple(counts), gateway=gateway[release], latency=_apart(sums[release])
        )
        for release, counts in codes.items()
    }


def _apart(sums: list[int]) -> tuple[int, ...]:
    """Traefik's classes hold all that are below them too."""
    return tuple(now - before for before, now in zip([0, *sums], sums, strict=False))


class Meter:
    """Tallies that only grow while it lives.

    Traefik forgets a release once it has told its figures after the release was routed no more,
    and forgets all when it restarts; so there must be one meter an edge.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._earlier: dict[UUID, Tally] = {}
        self._last: dict[UUID, Tally] = {}
        self._asked = float("-inf")
        self._turn = asyncio.Lock()

    async def read(self, *, fresh: bool = False) -> Mapping[UUID, Tally]:
        """The figures of half a second ago at most, or of this moment; the last known ones while
        Traefik does not answer.
        """
        async with self._turn:
            if fresh or time.monotonic() - self._asked > FRESH:
                text = await self._ask()
                if text is not None:
                    self._take(await asyncio.to_thread(parse, text))
                    self._asked = time.monotonic()
        releases = {*self._earlier, *self._last}
        return {one: self._earlier.get(one, NONE) + self._last.get(one, NONE) for one in releases}

    def _take(self, seen: dict[UUID, Tally]) -> None:
        for release, before in self._last.items():
            now = seen.get(release, NONE)
            if now.requests < before.requests:
                self._earlier[release] = self._earlier.get(release, NONE) + before
        self._last = seen

    async def _ask(self) -> str | None:
        try:
            port = port_inside(self._directory)
            async with asyncio.timeout(SECONDS):
                return await _get(port)
        except (OSError, ValueError, TimeoutError):
            return None


def port_inside(directory: Path) -> int:
    """The port of the entry point for the platform's own questions, as the edge remembers it.
    OSError or ValueError while there is none.
    """
    return int((directory / "metrics").read_text())


async def _get(port: int) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /metrics HTTP/1.0\r\nHost: metrics\r\n\r\n")
        parts: list[bytes] = []
        size = 0
        while (part := await reader.read(1 << 18)) and size < LARGEST:
            parts.append(part)
            size += len(part)
        head, _, body = b"".join(parts).partition(b"\r\n\r\n")
        if b" 200 " not in head[:16]:
            raise ValueError(head[:16])
        return body.decode()
    finally:
        writer.close()
