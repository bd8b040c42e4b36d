"""The edge's second process: it holds the listening socket, guards it, and serves our pages.

A Traefik that starts takes connections before it has read its routes and answers them with 404.
So the door is shut from the moment one dies until the next is ready: connections are dropped
unanswered, clients' kernels try again after a second, and nobody is refused. `shut` makes the
accept queue too short for anyone, which takes no privilege and is enough while nobody accepts;
the next Traefik is started behind `bar`, a filter that drops all, because it does accept.

The process is small because it imports little: the standard library and `pages`.
"""

import array
import os
import select
import signal
import socket
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path

from autostack.drivers.routers import pages

DOOR = 0
BACKLOG = 1024
LISTENER = 3
MOST_AT_ONCE = 16
ATTEMPTS = 20
SECONDS = 2.0
LARGEST_HEAD = 128 * 1024
PAUSE = 0.02
STARTING_SECONDS = 15.0
READY = "/autostack/ready"
"""Answered with 418 at the metrics entry point once the route files are in force."""

# Linux's numbers; Python does not name them.
SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
DROP_ALL = struct.pack("=HBBI", 0x06, 0, 0, 0)


def main(uid: int, gid: int, directory: str) -> None:
    # Once, so that all is loaded while the interpreter's files can still be read.
    pages.answer(b"GET /down/eA HTTP/1.1\r\naccept: application/json")
    _is_ready(Path(directory))
    drop(uid, gid)
    threading.stack_size(256 * 1024)
    door = socket.socket(fileno=DOOR)
    signal.signal(signal.SIGUSR1, lambda _number, _frame: _let_in_no_more(door))
    threading.Thread(target=guard, args=(door, Path(directory)), daemon=True).start()
    serve(socket.socket(fileno=LISTENER))


def drop(uid: int, gid: int) -> None:
    """Give up root for good; nothing to do for anyone else."""
    if os.geteuid() == 0 and uid != 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)


def guard(door: socket.socket, directory: Path) -> None:
    """Shut while no Traefik is ready, for ever. `directory` is the edge's."""
    if not hasattr(os, "pidfd_open"):
        return
    try:
        _guard(door, directory)
    finally:
        # A shut door without a guard would be the end of the edge: open it and start anew.
        open_(door)
        os._exit(1)


def _guard(door: socket.socket, directory: Path) -> None:
    plug = None if _is_ready(directory) else shut(door)
    served = None
    while True:
        born = _born(directory)
        process = None if born in {None, served} else _descriptor(born)
        if process is None:
            time.sleep(PAUSE)
            continue
        served = born
        _until_ready(directory, process)
        open_(door)
        if plug:
            plug.close()
        _ended(process, None)
        os.close(process)
        plug = shut(door)


def _until_ready(directory: Path, process: int) -> None:
    end = time.monotonic() + STARTING_SECONDS
    while not _is_ready(directory) and time.monotonic() < end and not _ended(process, PAUSE):
        pass


def _descriptor(born: tuple[int, int] | None) -> int | None:
    try:
        return os.pidfd_open(born[0]) if born else None
    except OSError:
        return None


def _ended(process: int, seconds: float | None) -> bool:
    waiting = select.poll()
    waiting.register(process, select.POLLIN)
    return bool(waiting.poll(None if seconds is None else seconds * 1000))


def _born(directory: Path) -> tuple[int, int] | None:
    """The process id Traefik was started under, and when."""
    path = directory / "pid"
    try:
        return int(path.read_text()), path.stat().st_mtime_ns
    except (OSError, ValueError):
        return None


def _is_ready(directory: Path) -> bool:
    try:
        port = int((directory / "metrics").read_text())
        with socket.socket() as asked:
            asked.settimeout(SECONDS)
            asked.connect(("127.0.0.1", port))
            asked.sendall(f"GET {READY} HTTP/1.0\r\n\r\n".encode())
            return b" 418 " in asked.recv(64)
    except (OSError, ValueError):
        return False


def shut(door: socket.socket) -> socket.socket | None:
    """Nobody gets in any more. The one place that is left is taken by the socket returned."""
    with suppress(OSError):
        door.listen(0)
        for _ in range(ATTEMPTS):
            _excuse(door)
            plug = socket.socket()
            plug.settimeout(PAUSE)
            if plug.connect_ex(("127.0.0.1", door.getsockname()[1])) == 0:
                return plug
            plug.close()
    return None


def _let_in_no_more(door: socket.socket) -> None:
    """SIGUSR1: Traefik is about to be stopped in peace. It goes on taking who comes until it is
    told to; from then on nobody waits in vain. Opened again by the next one.
    """
    with suppress(OSError):
        door.listen(0)


def bar(door: socket.socket) -> None:
    """Drop whatever arrives at the listening socket, open connections excepted. Some kernels
    allow it to root only.
    """
    rules = array.array("B", DROP_ALL)
    program = struct.pack("@HP", 1, rules.buffer_info()[0])
    with suppress(OSError):
        door.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def open_(door: socket.socket) -> None:
    with suppress(OSError):
        door.listen(BACKLOG)
    with suppress(OSError):
        door.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)


def _excuse(door: socket.socket) -> None:
    """Answer those who came in before the door was shut; Traefik would tell them 404."""
    path = pages.address_of("restarting", "")
    reply = pages.answer(f"GET {path} HTTP/1.1".encode())
    door.settimeout(0)
    with suppress(BlockingIOError):
        while True:
            client, _ = door.accept()
            with client, suppress(OSError):
                client.settimeout(SECONDS)
                client.sendall(reply)
                client.shutdown(socket.SHUT_WR)
                client.recv(LARGEST_HEAD)


def serve(listener: socket.socket) -> None:
    """Answer for ever, a few at a time; each client has two seconds."""
    free = threading.Semaphore(MOST_AT_ONCE)
    while True:
        client, _ = listener.accept()
        free.acquire()
        threading.Thread(target=_serve_one, args=(client, free), daemon=True).start()


def _serve_one(client: socket.socket, free: threading.Semaphore) -> None:
    try:
        with client:
            client.settimeout(SECONDS)
            client.sendall(pages.answer(_head(client)))
    except OSError:
        return
    finally:
        free.release()


def _head(client: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and len(head) < LARGEST_HEAD:
        piece = client.recv(65536)
        if not piece:
            break
        head += piece
    return head.partition(b"\r\n\r\n")[0]
