"""Lead IPv4 connections to an app that listens on ::1 alone: `python -I -S forwarder.py JSON`.

The kernel's address translation does not cross from one version of IP to the other, so a small
process inside the app's network namespace carries the bytes, as the app's user, counted among
its processes, and ends with it. Imported by the launcher only where it is needed.
"""

# pathlib would cost the launcher 4 ms.
# ruff: noqa: PTH123

import asyncio
import errno
import json
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

CHUNK = 65536
BACKLOG = 128
CONNECT = 5.0  # seconds
THERE_ALREADY = errno.EADDRINUSE


def main(described: str) -> None:
    """Enter the namespace of `pid` and return once connections are taken there."""
    sys.path.insert(0, os.path.abspath(f"{__file__}/../../../.."))  # noqa: PTH100
    told: dict[str, Any] = json.loads(described)
    from autostack.drivers.machine import libc  # noqa: PLC0415 - the path comes first

    for path in told["cgroups"]:
        with open(path, "w", encoding="ascii") as file:
            file.write("0")
    with open(f"/proc/{told['pid']}/ns/net", encoding="ascii") as namespace:
        libc.setns(namespace.fileno(), libc.CLONE_NEWNET)
    try:
        carry(told["address"], told["ports"], lives_with=told["pid"], uid=told["uid"])
    except OSError as error:
        sys.exit(error.errno or 1)


def carry(address: str, ports: Sequence[int], *, lives_with: int, uid: int) -> None:
    """Take connections to `address` on these ports from now on, in a process of its own that
    ends with `lives_with`.
    """
    listening = [_listen(address, port) for port in ports]
    living = os.pidfd_open(lives_with)
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        for each in listening:
            each.close()
        os.close(living)
        return
    # The child of a child: whoever called us need not wait for it.
    if os.fork():
        os._exit(0)
    try:
        _become(uid)
        asyncio.run(_serve(listening, living))
    finally:
        os._exit(0)


def _listen(address: str, port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    made.listen(BACKLOG)
    return made


def _become(uid: int) -> None:
    os.setsid()
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    from autostack.drivers.machine import libc  # noqa: PLC0415 - see main

    libc.no_new_privileges()


async def _serve(listening: Sequence[socket.socket], living: int) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(living, ended.set)
    for each in listening:
        await asyncio.start_server(partial(_connect, each.getsockname()[1]), sock=each)
    await ended.wait()


async def _connect(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(CONNECT):
            there, back = await asyncio.open_connection("::1", port)
    except (OSError, TimeoutError):
        writer.close()
        return
    await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
    for each in (writer, back):
        each.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """To the end of one direction; the other may go on for long."""
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


if __name__ == "__main__":
    main(sys.argv[1])
