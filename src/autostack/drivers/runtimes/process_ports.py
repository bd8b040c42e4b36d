"""Which TCP ports the processes of an instance listen on."""

import ipaddress
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from autostack.drivers.machine import processes
from autostack.engine.release import Listener

LISTEN = "0A"
WORD = 8  # hexadecimal digits of one 32-bit word, written in the machine's byte order


def listeners(init: int, *, shared: bool) -> list[Listener]:
    """In the network namespace of `init`; where that is `shared`, only its own processes'."""
    own = set(_sockets(init)) if shared else None
    found = {
        listener
        for table in ("tcp", "tcp6")
        for inode, listener in _table(Path(f"/proc/{init}/net/{table}"))
        if own is None or inode in own
    }
    return sorted(found, key=lambda listener: (listener.port, listener.host))


def is_loopback(host: str) -> bool:
    return ipaddress.ip_address(host).is_loopback


def _table(file: Path) -> Iterator[tuple[str, Listener]]:
    with suppress(OSError):
        for line in file.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTEN:
                address, _, port = fields[1].partition(":")
                yield fields[9], Listener(host=_host(address), port=int(port, 16))


def _host(address: str) -> str:
    words = [address[start : start + WORD] for start in range(0, len(address), WORD)]
    packed = b"".join(bytes.fromhex(word)[::-1] for word in words)
    found = ipaddress.ip_address(packed)
    # How a JVM says 127.0.0.1; such a socket takes IPv4 connections.
    return str(getattr(found, "ipv4_mapped", None) or found)


def _sockets(init: int) -> Iterator[str]:
    for process in processes.inside(init):
        with suppress(OSError):
            for entry in os.scandir(f"/proc/{process.pid}/fd"):
                with suppress(OSError):
                    target = os.readlink(entry.path)  # noqa: PTH115 - not a path but a name
                    if target.startswith("socket:["):
                        yield target[len("socket:[") : -1]
