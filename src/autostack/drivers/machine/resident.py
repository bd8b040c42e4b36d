"""Pages of programs and libraries that were needed to start, and not since."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

from autostack.drivers.machine.identity import Identity

# process_madvise(2) has one number on every architecture; C libraries wrap it only lately.
_PROCESS_MADVISE = 440
_MADV_PAGEOUT = 21

_libc = ctypes.CDLL(None)


class _Range(ctypes.Structure):
    _fields_ = (("start", ctypes.c_void_p), ("length", ctypes.c_size_t))


def let_go(process: Identity) -> None:
    """Tell the kernel that what it has mapped of files can leave memory now. What it uses comes
    back by itself, and what another process has mapped too stays.

    Traefik touches 77 to 110 MB of its binary to start, and 20 MB to serve. Advice only: without
    CAP_SYS_NICE it reaches no process but our own, on an old kernel none.
    """
    if not hasattr(os, "pidfd_open"):
        return
    try:
        held = os.pidfd_open(process.pid)
    except OSError:
        return
    try:
        # With the descriptor held nobody else can get this number unseen.
        if process.alive:
            _advise(held, process.pid)
    finally:
        os.close(held)


def _advise(held: int, pid: int) -> None:
    for start, end in _files(pid):
        advised = _Range(start, end - start)
        _libc.syscall(_PROCESS_MADVISE, held, ctypes.byref(advised), 1, _MADV_PAGEOUT, 0)


def _files(pid: int) -> Iterator[tuple[int, int]]:
    """Addresses of what is mapped from files and cannot be written to."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        place, rights, _offset, _device, _inode, *path = line.split(maxsplit=5)
        if path and path[0].startswith("/") and "w" not in rights:
            start, _, end = place.partition("-")
            yield int(start, 16), int(end, 16)
