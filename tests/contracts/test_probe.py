"""What every Probe promises, the fake included."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from autostack.drivers.routers.probe import HttpProbe
from autostack.engine.check import serves
from autostack.engine.plan import Check
from autostack.engine.ports import Probe
from autostack.engine.release import Answer
from tests.fakes import FakeProbe

QUICK = Check(timeout=0.5)


@asynccontextmanager
async def server(said: bytes) -> AsyncGenerator[str]:
    """Says this to whoever asks, then hangs up; an empty word means silence."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(said)
            await writer.drain()
            if not said:
                await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        await listening.wait_closed()


@pytest.fixture(params=["fake", "http"])
def probe(request: pytest.FixtureRequest) -> Probe:
    if request.param == "fake":
        fake = FakeProbe()
        fake.special["127.0.0.1:9"] = Answer(attempts=1, seconds=0, error="connection refused")
        return fake
    return HttpProbe()


async def test_an_answer_has_a_status_and_no_error(probe: Probe) -> None:
    async with server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as address:
        answer = await probe.once(address, QUICK)

    assert (answer.status, answer.error, answer.attempts) == (200, "", 1)
    assert serves(answer)


async def test_nobody_there_is_an_error_and_no_status(probe: Probe) -> None:
    answer = await probe.once("127.0.0.1:9", QUICK)

    assert answer.status is None
    assert answer.error == "connection refused"
    assert not serves(answer)


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"HTTP/1.0 404 Not Found\r\n\r\n", 404),
        (b"HTTP/1.1 503 \r\n\r\n", 503),
        (b"HTTP/1.1 302\r\nLocation: https://elsewhere.test/\r\n\r\n", 302),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 204),
    ],
)
async def test_any_status_is_reported_as_it_is(said: bytes, status: int) -> None:
    async with server(said) as address:
        assert (await HttpProbe().once(address, QUICK)).status == status


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", "no answer within 0.5 seconds"),
        (b"SSH-2.0-OpenSSH\r\n", "what answers does not speak HTTP"),
        (b"\xff" * 200_000, ""),
    ],
)
async def test_whatever_else_happens_is_an_error_in_words(said: bytes, error: str) -> None:
    async with server(said) as address:
        answer = await HttpProbe().once(address, QUICK)

    assert answer.status is None
    assert answer.error
    assert error in answer.error


async def test_without_a_path_an_open_port_is_enough() -> None:
    async with server(b"") as address:
        answer = await HttpProbe().once(address, Check(path=None, timeout=0.5))

    assert serves(answer)


@pytest.mark.attack("B11", "B12", "O07", "R15")
@pytest.mark.parametrize("path", ["/a b\r\nX: y", "ä", "/?q=1&x=%20", "//"])
async def test_a_path_cannot_add_lines_to_the_request(path: str) -> None:
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    address = f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    seen = await HttpProbe().once(address, Check(path=path, timeout=2))
    listening.close()

    assert seen.status == 200
    assert len(asked[0].split(b"\r\n")) == 7
    assert b"X: y" not in asked[0]
