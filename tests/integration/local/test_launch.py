"""A program that its supervisor leaves alone before anybody could find it."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autostack.core.home import Home
from autostack.drivers.machine import identity
from tests.platform import until


@pytest.fixture
def home() -> Generator[Home]:
    """Where every user may go."""
    with tempfile.TemporaryDirectory(prefix="autostack-") as root:
        Path(root).chmod(0o755)
        made = Home(Path(root))
        for folder in (made.run, made.logs / "platform"):
            folder.mkdir(parents=True)
            folder.chmod(0o777)
        yield made


@contextmanager
def logs(home: Home) -> Generator[subprocess.Popen[bytes]]:
    """The collector, as a supervisor would start it."""
    argv = [sys.executable, "-m", "autostack.entrypoints.launch", "logs", "0"]
    environ = {**os.environ, "AUTOSTACK_HOME": str(home.root)}
    with subprocess.Popen(argv, env=environ, stderr=subprocess.DEVNULL) as started:
        try:
            yield started
        finally:
            started.kill()


def test_it_ends_unseen_when_its_supervisor_is_gone(home: Home) -> None:
    with logs(home) as started:
        ended = started.wait(60)

    assert ended == -signal.SIGKILL
    assert not (home.run / "logs.pid").exists()


def test_under_its_supervisor_it_leaves_the_mark_it_is_found_by(home: Home) -> None:
    me = identity.identify(os.getpid())
    assert me is not None
    identity.note(home.run / "supervisor.pid", me)
    with logs(home) as started:
        until(lambda: identity.noted(home.run / "logs.pid"))
        mark = identity.noted(home.run / "logs.pid")

    assert mark is not None
    assert mark.pid == started.pid
