"""Giving back the disk space of what was read, while others go on appending."""

import ctypes
import errno
import os

_KEEP_SIZE, _PUNCH_HOLE = 0x01, 0x02
_PAGE = 4096


def punch(fd: int, end: int) -> bool:
    """Free whole pages in front of `end`; offsets stay what they were. False where the file
    system cannot, or the file is not ours to change.
    """
    length = end - end % _PAGE
    if length <= 0:
        return True
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "fallocate"):
        return False
    mode = _KEEP_SIZE | _PUNCH_HOLE
    return int(libc.fallocate(fd, mode, ctypes.c_int64(0), ctypes.c_int64(length))) == 0


def first_data(fd: int, offset: int) -> int:
    """The first place from `offset` on that is not a hole."""
    try:
        return os.lseek(fd, offset, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:  # nothing but hole up to the end
            return os.fstat(fd).st_size
        return offset
