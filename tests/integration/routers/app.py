"""An app for the edge's tests: `python app.py PORT VERSION`. It ends at once on SIGTERM."""

import asyncio
import os
import signal
import sys
from urllib.parse import parse_qs, urlsplit


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, version: bytes) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await answer(writer, head, version)
    except (asyncio.IncompleteReadError, OSError):
        pass
    finally:
        writer.close()


async def answer(writer: asyncio.StreamWriter, head: bytes, version: bytes) -> None:
    target = urlsplit(head.split()[1].decode())
    match target.path:
        case "/slow":
            await slowly(writer, version, float(parse_qs(target.query)["seconds"][0]))
        case "/headers":
            whole(writer, b"200 OK", head)
        case path if path[1:].isdigit():
            whole(writer, f"{path[1:]} Mine".encode(), b"own " + version)
        case _:
            whole(writer, b"200 OK", version)
    await writer.drain()


def whole(writer: asyncio.StreamWriter, status: bytes, body: bytes) -> None:
    head = b"HTTP/1.1 %b\r\nContent-Length: %d\r\nX-Own: yes\r\n\r\n" % (status, len(body))
    writer.write(head + body)


async def slowly(writer: asyncio.StreamWriter, version: bytes, seconds: float) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(version))
    for at in range(len(version)):
        await asyncio.sleep(seconds / len(version))
        writer.write(version[at : at + 1])
        await writer.drain()


async def main(port: int, version: str) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, os._exit, 0)
    server = await asyncio.start_server(
        lambda reader, writer: serve(reader, writer, version.encode()),
        "127.0.0.1",
        port,
        reuse_address=True,
        backlog=1024,
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
