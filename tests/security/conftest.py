"""One platform for all live cases; `world` checks after each what must always hold."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.apps import tells
from tests.gitserver import GitServer
from tests.platform import platform
from tests.security.live import OPENED, PLATFORMS, VICTIMS, Person, Traps, World


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    marks = Path(tempfile.mkdtemp(prefix="as-mark-"))
    marks.chmod(0o777)
    settings = {
        "AUTOSTACK_PRIVATE_HOSTS": OPENED,
        "AUTOSTACK_LOGIN_RATE": "1000/minute",
        "AUTOSTACK_REGISTER_RATE": "1000/minute",
        "AUTOSTACK_SECRET_KEY": f"{PLATFORMS}-{secrets.token_urlsafe(32)}",
    }
    with (
        Traps() as traps,
        GitServer(tmp_path_factory.mktemp("git"), host=OPENED) as git,
        platform(**settings) as up,
    ):
        ada = Person.register(up, "ada@example.com")
        eve = Person.register(up, "eve@example.com")
        git.create("victim", tells("v1", "CANARY"))
        project = ada.project("victim", git.url("victim"))
        ada.set(project, "CANARY", VICTIMS)
        victim = ada.deploy(project)
        yield World(platform=up, git=git, ada=ada, eve=eve, traps=traps, marks=marks, victim=victim)
    shutil.rmtree(marks, ignore_errors=True)


@pytest.fixture
def world(live: World) -> Iterator[World]:
    yield live
    try:
        live.holds()
    finally:
        live.ada.heard.clear()
        live.eve.heard.clear()
        live.traps.hits.clear()
        for one in live.marks.iterdir():
            one.unlink()


@pytest.fixture
def word() -> str:
    """A name nobody used yet."""
    return f"x{secrets.token_hex(4)}"
