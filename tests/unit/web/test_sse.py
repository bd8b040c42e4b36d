import asyncio
import zlib
from collections.abc import AsyncGenerator
from datetime import timedelta

from autostack.web.sse import Sse, Streams, encode

QUICK = timedelta(milliseconds=10)


async def collect(streams: Streams, events: AsyncGenerator[Sse], most: int) -> list[bytes]:
    response = streams.response(events)
    found: list[bytes] = []
    async for chunk in response.body_iterator:
        assert isinstance(chunk, bytes)
        found.append(chunk)
        if len(found) == most:
            break
    body = response.body_iterator
    if isinstance(body, AsyncGenerator):
        await body.aclose()
    return found


def test_an_event_is_one_block_whatever_its_text_holds() -> None:
    block = encode(Sse(id="1-2\n", event="a\r\nb", data={"text": "one\ntwo\u2028"}))

    assert block == b'id: 1-2\nevent: ab\ndata: {"text":"one\\ntwo\\u2028"}\n\n'


async def test_what_is_packed_can_be_read_as_it_comes() -> None:
    async def words() -> AsyncGenerator[Sse]:
        yield Sse(data="one")
        yield Sse(data=["two", "three"])

    response = Streams().response(words(), packed=True)
    unpack = zlib.decompressobj(16 + zlib.MAX_WBITS)
    found = [
        unpack.decompress(piece)
        async for piece in response.body_iterator
        if isinstance(piece, bytes)
    ]

    assert response.headers["content-encoding"] == "gzip"
    assert found == [b"retry: 2000\n\n", b'data: "one"\n\n', b'data: ["two","three"]\n\n', b""]
    assert unpack.eof


async def test_a_quiet_stream_beats() -> None:
    async def silence() -> AsyncGenerator[Sse]:
        await asyncio.sleep(60)
        yield Sse(data=1)

    found = await collect(Streams(heartbeat=QUICK), silence(), 3)

    assert found == [b"retry: 2000\n\n", b": beat\n\n", b": beat\n\n"]


async def test_an_event_that_takes_longer_than_a_beat_is_not_lost() -> None:
    async def slow() -> AsyncGenerator[Sse]:
        await asyncio.sleep(0.05)
        yield Sse(data="at last")

    found = await collect(Streams(heartbeat=QUICK), slow(), 100)

    assert found[-1] == b'data: "at last"\n\n'


async def test_closing_ends_every_stream_and_its_source() -> None:
    ended = asyncio.Event()

    async def endless() -> AsyncGenerator[Sse]:
        try:
            await asyncio.sleep(60)
            yield Sse(data=1)
        finally:
            ended.set()

    streams = Streams(heartbeat=QUICK)
    reading = asyncio.create_task(collect(streams, endless(), 10_000))
    await asyncio.sleep(0.03)
    assert streams.open == 1
    streams.close()
    await asyncio.wait_for(reading, 5)

    assert ended.is_set()
    assert streams.open == 0


async def test_a_stream_that_ends_by_itself_is_over() -> None:
    async def one() -> AsyncGenerator[Sse]:
        yield Sse(data=1)

    streams = Streams(heartbeat=QUICK)

    assert len(await collect(streams, one(), 100)) == 2
    assert streams.open == 0
