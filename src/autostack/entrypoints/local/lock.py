"""One `up` or `down` at a time on one home."""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager

from autostack.core.home import Home
from autostack.entrypoints.local.errors import Busy
from autostack.entrypoints.local.house import lock_file

LIMIT = 90.0


@contextmanager
def held(home: Home, *, seconds: float = LIMIT) -> Generator[None]:
    """The kernel lets go of it when we end, however we end."""
    fd = os.open(lock_file(home), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _take(fd, home, seconds)
        yield
    finally:
        os.close(fd)


def _take(fd: int, home: Home, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise Busy(home.root) from None
        else:
            return
        time.sleep(0.1)
