"""A Git server on loopback and a source that may reach it."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from autostack.core.addresses import private_hosts
from autostack.core.home import Home
from autostack.drivers.sources.git import GitSource
from autostack.engine.release import Checkout, Credential, Repository
from tests.fakes import FakeLog
from tests.gitserver import GitServer

KEY = UUID("11111111-1111-4111-8111-111111111111")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with GitServer(tmp_path / "git") as running:
        yield running


@pytest.fixture
def source(home: Home) -> GitSource:
    return GitSource(home, private_hosts(["127.0.0.1"]))


@pytest.fixture
def log() -> FakeLog:
    return FakeLog()


@pytest.fixture
def repository(server: GitServer) -> Callable[..., Repository]:
    def of(
        name: str, ref: str | None = "main", *, credential: Credential | None = None
    ) -> Repository:
        return Repository(key=KEY, url=server.url(name), ref=ref, credential=credential)

    return of


def files(checkout: Checkout) -> dict[str, bytes]:
    return {
        str(path.relative_to(checkout.tree)): path.read_bytes()
        for path in checkout.tree.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A directory every user may walk into; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="autostack-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
