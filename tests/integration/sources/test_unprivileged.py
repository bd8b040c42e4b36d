"""Root lets git and ssh run as a user of their own."""

import os
import pwd
from pathlib import Path

import pytest

from autostack.core.addresses import private_hosts
from autostack.core.home import Home
from autostack.core.keys import make_deploy_key
from autostack.drivers.sources.git import GitSource
from autostack.engine.errors import RepositoryUnreachable
from autostack.engine.release import Credential, Repository
from tests.fakes import FakeLog
from tests.gitserver import GitServer
from tests.integration.sources.conftest import KEY, files
from tests.sshserver import SshServer

pytestmark = pytest.mark.needs("root", "git", "sshd")


@pytest.fixture
def door(tmp_path: Path, server: GitServer) -> tuple[SshServer, Credential]:
    private, public = make_deploy_key()
    server.create("shop", {"a": "1"})
    opened = SshServer(tmp_path / "sshd", server.root, public=public)
    return opened, Credential(private_key=private)


@pytest.fixture
def plain(reachable: Path) -> GitSource:
    """As a user who can do nothing: ssh asks passwd who that is."""
    uid = pwd.getpwnam("nobody").pw_uid
    return GitSource(Home(reachable), private_hosts(["127.0.0.1"]), uid=uid)


async def test_a_deploy_key_opens_a_repository_for_a_user_without_rights(
    plain: GitSource, door: tuple[SshServer, Credential], log: FakeLog, reachable: Path
) -> None:
    server, key = door
    with server:
        wanted = Repository(key=KEY, url=server.url("shop"), credential=key)
        checkout = await plain.fetch(wanted, log=log)

    assert files(checkout) == {"a": b"1"}
    left = [path.name for path in (reachable / "mirrors" / str(KEY)).iterdir()]
    assert sorted(left) == ["known_hosts", "lock", "repo"], "the key is gone with the call"


async def test_the_host_key_it_saw_first_is_remembered(
    plain: GitSource, door: tuple[SshServer, Credential], log: FakeLog
) -> None:
    server, key = door
    wanted = Repository(key=KEY, url=server.url("shop"), credential=key)
    with server:
        await plain.fetch(wanted, log=log)
    server.make_host_key()

    with server, pytest.raises(RepositoryUnreachable, match="host key"):
        await plain.fetch(wanted, log=log)


async def test_what_it_fetched_is_forgotten_whole(
    plain: GitSource, server: GitServer, log: FakeLog, reachable: Path
) -> None:
    server.create("shop", {"a": "1"})
    await plain.fetch(Repository(key=KEY, url=server.url("shop"), ref="main"), log=log)

    await plain.forget(KEY)

    assert [path for path, _, names in os.walk(reachable) if names or str(KEY) in path] == []
