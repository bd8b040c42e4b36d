"""Each way a repository can fail to be had is told apart, and leaves nothing half-made."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from autostack.core.addresses import private_hosts
from autostack.core.home import Home
from autostack.drivers.sources.git import GitLimits, GitSource
from autostack.drivers.sources.tree import TreeLimits
from autostack.engine.errors import (
    BranchNotFound,
    RepositoryDenied,
    RepositoryEmpty,
    RepositoryRefused,
    RepositoryTooLarge,
    RepositoryUnreachable,
    SourceError,
)
from autostack.engine.release import MIB, Credential, Repository
from tests.fakes import FakeLog
from tests.gitserver import GitServer, Manner
from tests.integration.sources.conftest import KEY

pytestmark = pytest.mark.needs("git")
Make = Callable[..., Repository]


def hasty(home: Home, **limits: object) -> GitSource:
    made = GitLimits(**{"ask": 20, "fetch": 20, "quiet": 2, **limits})  # type: ignore[arg-type]
    return GitSource(home, private_hosts(["127.0.0.1"]), limits=made)


def contacting(server: GitServer) -> list[str]:
    """Programs that talk to this server, whoever their parent is by now."""
    lines = [" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"])]
    return [line for line in lines if line.startswith(("git", "/")) and server.url("shop") in line]


def leftovers(home: Home) -> list[Path]:
    folder = home.mirrors / str(KEY)
    return [*folder.glob(".call-*"), *folder.rglob("tmp_*"), *(home.trees).glob("*/.incoming")]


async def test_an_unknown_branch_names_the_known_ones(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog
) -> None:
    server.create("shop", {"a": "1"})
    server.commit("shop", {"a": "2"}, branch="next")

    with pytest.raises(BranchNotFound) as caught:
        await source.fetch(repository("shop", "nope"), log=log)

    assert caught.value.hint == "Known branches: main, next."


async def test_an_unknown_commit_is_an_unknown_branch(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog
) -> None:
    server.create("shop", {"a": "1"})

    with pytest.raises(BranchNotFound):
        await source.fetch(repository("shop", "0" * 39 + "1"), log=log)


@pytest.mark.parametrize("ref", ["main", None])
async def test_a_repository_without_commits_is_empty(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog, ref: str | None
) -> None:
    server.create("shop")

    with pytest.raises(RepositoryEmpty):
        await source.fetch(repository("shop", ref), log=log)


async def test_a_default_branch_nobody_pushed_names_the_known_ones(
    source: GitSource, server: GitServer, repository: Make
) -> None:
    server.create("shop")
    server.commit("shop", {"a": "1"}, branch="trunk")

    with pytest.raises(BranchNotFound) as caught:
        await source.default_branch(repository("shop", None))

    assert "trunk" in caught.value.hint


async def test_a_repository_that_is_not_there_is_denied(
    source: GitSource, repository: Make, log: FakeLog
) -> None:
    with pytest.raises(RepositoryDenied):
        await source.fetch(repository("nowhere"), log=log)


async def test_g42_a_private_repository_without_a_token_is_denied_at_once(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog
) -> None:
    server.token = "t0ken"
    server.create("shop", {"a": "1"})
    began = time.monotonic()

    with pytest.raises(RepositoryDenied):
        await source.fetch(repository("shop"), log=log)

    assert time.monotonic() - began < 5


async def test_a_wrong_token_is_denied_and_not_repeated(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog
) -> None:
    server.token = "t0ken"
    server.create("shop", {"a": "1"})
    wrong = Credential(token="wr0ng")

    with pytest.raises(RepositoryDenied) as caught:
        await source.fetch(repository("shop", credential=wrong), log=log)

    assert "wr0ng" not in f"{caught.value}{caught.value.hint}{log.said}"


async def test_a_host_where_nothing_listens_is_unreachable(source: GitSource, log: FakeLog) -> None:
    gone = Repository(key=KEY, url="http://127.0.0.1:9/shop.git", ref="main")

    with pytest.raises(RepositoryUnreachable, match="nothing answers"):
        await source.fetch(gone, log=log)


@pytest.mark.parametrize("manner", ["broken", "error", "cut", "redirect"])
async def test_a_server_that_misbehaves_is_a_failure_in_words(
    source: GitSource,
    server: GitServer,
    repository: Make,
    log: FakeLog,
    home: Home,
    manner: Manner,
) -> None:
    server.create("shop", {"a": "1" * 5000})
    server.manners["shop"] = manner
    server.elsewhere = server.url("other")

    with pytest.raises(SourceError):
        await source.fetch(repository("shop"), log=log)

    assert leftovers(home) == []
    server.manners.clear()
    assert (await source.fetch(repository("shop"), log=log)).sha


@pytest.mark.parametrize("manner", ["tarpit", "drip"])
async def test_g36_a_server_that_says_nothing_is_given_up(
    home: Home, server: GitServer, repository: Make, log: FakeLog, manner: Manner
) -> None:
    server.create("shop", {"a": "1"})
    server.manners["shop"] = manner
    began = time.monotonic()

    with pytest.raises(RepositoryUnreachable, match="in time"):
        await hasty(home).fetch(repository("shop"), log=log)

    assert time.monotonic() - began < 10
    assert contacting(server) == []


async def test_g36_the_time_limit_ends_the_whole_process_group(
    home: Home, server: GitServer, repository: Make, log: FakeLog
) -> None:
    server.create("shop", {"a": "1"})
    server.manners["shop"] = "tarpit"

    with pytest.raises(RepositoryUnreachable, match="too long"):
        await hasty(home, fetch=1, quiet=60).fetch(repository("shop"), log=log)

    assert contacting(server) == []
    assert leftovers(home) == []


async def test_a_canceled_fetch_leaves_no_process_and_no_lock(
    home: Home, server: GitServer, repository: Make, log: FakeLog
) -> None:
    server.create("shop", {"a": "1"})
    server.manners["shop"] = "tarpit"
    source = hasty(home, fetch=60, quiet=60)
    fetching = asyncio.create_task(source.fetch(repository("shop"), log=log))
    while not server.asked:  # noqa: ASYNC110 - asked from another thread
        await asyncio.sleep(0.01)
    assert contacting(server)

    began = time.monotonic()
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching

    assert time.monotonic() - began < 5
    assert contacting(server) == []
    assert leftovers(home) == []
    server.manners.clear()
    assert (await source.fetch(repository("shop"), log=log)).sha


async def test_g34_a_repository_beyond_the_limit_is_stopped_while_it_comes(
    home: Home, server: GitServer, repository: Make, log: FakeLog
) -> None:
    noise = os.urandom(24 * MIB)
    server.create("shop", {"big": noise})

    with pytest.raises(RepositoryTooLarge):
        await hasty(home, mirror=4 * MIB).fetch(repository("shop"), log=log)

    assert not (home.mirrors / str(KEY) / "repo").exists()


async def test_g34_a_small_pack_with_a_large_tree_is_stopped_before_it_is_written(
    home: Home, server: GitServer, repository: Make, log: FakeLog
) -> None:
    server.create("shop", {"bomb": b"\0" * (24 * MIB)})
    limits = TreeLimits(size=MIB)

    with pytest.raises(RepositoryTooLarge):
        await hasty(home, tree=limits).fetch(repository("shop"), log=log)

    assert not list((home.trees / str(KEY)).glob("*"))


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c id", "file:///etc", "http://example.com/x", "--upload-pack=x", "fd::17/x"],
)
async def test_an_address_that_is_not_allowed_starts_nothing(
    source: GitSource, home: Home, log: FakeLog, url: str
) -> None:
    with pytest.raises(RepositoryRefused):
        await source.fetch(Repository(key=KEY, url=url), log=log)

    assert not home.mirrors.exists()
