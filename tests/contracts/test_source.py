"""What every Source promises; the fake passes it too, so it cannot lie."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from autostack.core.addresses import private_hosts
from autostack.core.home import Home
from autostack.core.keys import make_deploy_key
from autostack.drivers.sources.git import GitSource
from autostack.engine.ports import Source
from autostack.engine.release import Credential, Repository
from tests.fakes import FakeLog, FakeSource
from tests.gitserver import GitServer
from tests.sshserver import SshServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A source, its one repository, and how to push a commit to a branch of it."""

    source: Source
    repository: Repository
    push: Callable[[str], str]
    real: bool = True


@pytest.fixture(
    params=[
        "fake",
        pytest.param("http", marks=pytest.mark.needs("git")),
        pytest.param("ssh", marks=pytest.mark.needs("git", "sshd")),
    ]
)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    yield from {"fake": fake, "http": http, "ssh": ssh}[request.param](tmp_path)


def fake(folder: Path) -> Iterator[Place]:
    source = FakeSource(folder)

    def push(branch: str) -> str:
        source.branches[branch] = uuid4().hex.ljust(40, "0")
        return source.branches[branch]

    push("main")
    repository = Repository(key=uuid4(), url="https://git.example.com/shop")
    yield Place(source=source, repository=repository, push=push, real=False)


def http(folder: Path) -> Iterator[Place]:
    with GitServer(folder / "git", token="t0ken") as server:
        yield served(folder, server, server.url("shop"), Credential(token="t0ken"))


def ssh(folder: Path) -> Iterator[Place]:
    private, public = make_deploy_key()
    server = GitServer(folder / "git")
    with server, SshServer(folder / "sshd", server.root, public=public) as door:
        yield served(folder, server, door.url("shop"), Credential(private_key=private))


def served(folder: Path, server: GitServer, url: str, credential: Credential) -> Place:
    server.create("shop", {"app.py": "print(1)\n"})
    source = GitSource(Home(folder / "home"), private_hosts(["127.0.0.1"]))

    def push(branch: str) -> str:
        return server.commit("shop", {"app.py": f"print({uuid4().int})\n"}, branch=branch)

    repository = Repository(key=uuid4(), url=url, credential=credential)
    return Place(source=source, repository=repository, push=push)


def at(place: Place, ref: str) -> Repository:
    return Repository(
        key=place.repository.key,
        url=place.repository.url,
        ref=ref,
        credential=place.repository.credential,
    )


async def test_the_default_branch_is_told_without_fetching(place: Place) -> None:
    assert await place.source.default_branch(place.repository) == "main"


async def test_no_ref_means_the_default_branch(place: Place) -> None:
    sha = place.push("main")

    checkout = await place.source.fetch(place.repository, log=FakeLog())

    assert checkout.sha == sha
    assert checkout.branch == "main"
    assert checkout.message
    assert checkout.author


async def test_a_branch_leads_to_its_newest_commit(place: Place) -> None:
    place.push("next")
    first = await place.source.fetch(at(place, "next"), log=FakeLog())
    sha = place.push("next")

    second = await place.source.fetch(at(place, "next"), log=FakeLog())

    assert second.sha == sha
    assert second.tree != first.tree
    assert second.tree.is_dir()
    assert first.tree.is_dir()


async def test_fetching_the_same_commit_twice_is_one_tree(place: Place) -> None:
    first = await place.source.fetch(at(place, "main"), log=FakeLog())
    second = await place.source.fetch(at(place, first.sha), log=FakeLog())

    assert second.tree == first.tree
    assert second.sha == first.sha


async def test_an_older_commit_can_be_had_by_its_id(place: Place) -> None:
    old = place.push("main")
    place.push("main")

    checkout = await place.source.fetch(at(place, old), log=FakeLog())

    assert checkout.sha == old


async def test_a_tree_holds_no_git_directory(place: Place) -> None:
    checkout = await place.source.fetch(place.repository, log=FakeLog())

    assert not (checkout.tree / ".git").exists()
    assert (checkout.tree / "app.py").exists() or not place.real
