"""Waiting for files of one directory to change: by inotify, or by a poll where it is missing."""

import ctypes
import os
import select
import struct
import time

_CREATE, _MODIFY, _MOVED_TO, _OVERFLOW = 0x100, 0x2, 0x80, 0x4000
_ONLYDIR = 0x01000000
_EVENT = struct.Struct("iIII")
_POLL = 0.1


class Watch:
    """Names that may have changed in a directory. A hint, never a promise: look again at times.

    Something to read on `wake` ends a wait early.
    """

    def __init__(self, folder: str, *, wake: int | None = None) -> None:
        self._fd = _open(folder)
        self._poller = select.poll()
        if wake is not None:
            self._poller.register(wake, select.POLLIN)
        if self._fd is not None:
            self._poller.register(self._fd, select.POLLIN)

    def wait(self, seconds: float) -> set[str] | None:
        """At most `seconds`. None means: anything may have changed."""
        if self._fd is None:
            time.sleep(min(seconds, _POLL))
            return None
        if not self._poller.poll(max(0, seconds) * 1000):
            return set()
        return names(self._read())

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _read(self) -> bytes:
        assert self._fd is not None
        try:
            return os.read(self._fd, 64 * 1024)
        except BlockingIOError:
            return b""


def names(events: bytes) -> set[str] | None:
    """File names in what the kernel wrote (inotify(7)); None when it lost count."""
    found: set[str] = set()
    place = 0
    while place < len(events):
        _, mask, _, length = _EVENT.unpack_from(events, place)
        place += _EVENT.size
        if mask & _OVERFLOW:
            return None
        name = events[place : place + length].rstrip(b"\0")
        place += length
        if name:
            found.add(os.fsdecode(name))
    return found


def _open(folder: str) -> int | None:
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "inotify_init1"):
        return None
    fd = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
    if fd < 0:
        return None
    mask = ctypes.c_uint32(_CREATE | _MODIFY | _MOVED_TO | _ONLYDIR)
    if libc.inotify_add_watch(fd, os.fsencode(folder), mask) < 0:
        os.close(fd)
        return None
    return fd
