"""Fetching from a real Git server: what arrives, and what is kept between fetches."""

import asyncio
import os
import stat
import time
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

import pytest

from autostack.core.addresses import IPAddress, PrivateHosts, private_hosts
from autostack.core.home import Home
from autostack.core.keys import make_deploy_key
from autostack.core.outbound import Lookup
from autostack.drivers.sources.git import GitSource
from autostack.engine.errors import (
    RepositoryDenied,
    RepositoryRefused,
    RepositoryUnreachable,
    TreeRefused,
)
from autostack.engine.release import Credential, Repository
from tests.fakes import FakeLog
from tests.gitserver import GitServer, Link, Program, git
from tests.integration.sources.conftest import KEY, files
from tests.sshserver import SshServer

pytestmark = pytest.mark.needs("git")
Make = Callable[..., Repository]


async def test_the_tree_is_what_was_committed(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog
) -> None:
    server.create(
        "shop",
        {"app.py": "print(1)\r\n", "bin/run": Program("#!/bin/sh\n"), "a": Link("app.py")},
    )

    checkout = await source.fetch(repository("shop"), log=log)

    assert files(checkout) == {"app.py": b"print(1)\r\n", "bin/run": b"#!/bin/sh\n"}
    assert stat.S_IMODE((checkout.tree / "app.py").stat().st_mode) == 0o644
    assert stat.S_IMODE((checkout.tree / "bin/run").stat().st_mode) == 0o755
    assert os.readlink(checkout.tree / "a") == "app.py"  # noqa: PTH115
    assert checkout.author == "Ada Lovelace"
    assert checkout.message == "Begin"


async def test_attributes_of_the_repository_change_nothing(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog
) -> None:
    attributes = "* export-ignore\nv export-subst\nx filter=evil\n"
    server.create("shop", {".gitattributes": attributes, "v": "$Format:%H$", "x": "1"})

    checkout = await source.fetch(repository("shop"), log=log)

    assert files(checkout)["v"] == b"$Format:%H$"
    assert files(checkout)["x"] == b"1"


async def test_g39_any_name_git_takes_arrives(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog
) -> None:
    names = ["-rf", "a\nb", "$(touch x)", "%s", "*", "c ", "\udcff", 'q"q', "é", "x" * 255]
    server.create("shop", dict.fromkeys(names, "1"))

    checkout = await source.fetch(repository("shop"), log=log)

    assert set(os.listdir(checkout.tree)) == set(names)  # noqa: PTH208


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../other", "../a/../../x"])
async def test_g23_a_link_out_of_the_tree_is_refused_by_its_name(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog, home: Home, target: str
) -> None:
    server.create("shop", {"web/Procfile": Link(target), "a/b": "1"})

    with pytest.raises(TreeRefused, match="web/Procfile"):
        await source.fetch(repository("shop"), log=log)

    assert not list((home.trees / str(KEY)).glob("*"))


@pytest.mark.parametrize("name", [".git", ".GIT"])
async def test_g27_a_git_directory_made_by_hand_is_refused(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog, name: str
) -> None:
    server.create("shop", {"a": "1"})
    folder = server.folder("shop")
    blob = git("hash-object", "-w", "--stdin", folder=folder, given=b"[core]\n").strip()
    inner = git("mktree", folder=folder, given=f"100644 blob {blob}\tconfig\n".encode()).strip()
    tree = git("mktree", folder=folder, given=f"040000 tree {inner}\t{name}\n".encode()).strip()
    sha = git("commit-tree", "-m", "evil", tree, folder=folder).strip()
    git("update-ref", "refs/heads/main", sha, folder=folder)

    with pytest.raises(TreeRefused, match="Git directory"):
        await source.fetch(repository("shop"), log=log)


async def test_g28_an_embedded_bare_repository_runs_nothing(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    server.create(
        "shop",
        {
            "app/HEAD": "ref: refs/heads/main\n",
            "app/config": f"[core]\n\tbare = true\n\tfsmonitor = touch {mark}\n",
            "app/objects/x": "",
            "app/refs/heads/x": "",
        },
    )

    checkout = await source.fetch(repository("shop"), log=log)

    assert (checkout.tree / "app/config").exists()
    assert not mark.exists()


@pytest.mark.parametrize(
    "url", ["ext::sh -c touch% {mark}", "http://127.0.0.1:{port}/internal.git", "/etc"]
)
async def test_g19_g20_submodules_are_named_and_never_contacted(
    source: GitSource,
    server: GitServer,
    repository: Make,
    log: FakeLog,
    tmp_path: Path,
    url: str,
) -> None:
    mark = tmp_path / "mark"
    wanted = url.format(mark=mark, port=server.port)
    sha = server.create("shop", {".gitmodules": f'[submodule "x"]\n\tpath = x\n\turl = {wanted}\n'})
    folder = server.folder("shop")
    git("read-tree", "main", folder=folder)
    git("update-index", "--add", "--cacheinfo", f"160000,{sha},x", folder=folder)
    tree = git("write-tree", folder=folder).strip()
    commit = git("commit-tree", "-m", "with a submodule", tree, folder=folder).strip()
    git("update-ref", "refs/heads/main", commit, folder=folder)

    checkout = await source.fetch(repository("shop"), log=log)

    assert (checkout.tree / "x").is_dir()
    assert any("Submodules are not fetched" in line for line in log.said)
    assert not mark.exists()
    assert not [line for line in server.asked if "internal" in line]


async def test_g32_git_lfs_is_named_and_never_contacted(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog
) -> None:
    server.create(
        "shop",
        {
            ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n",
            ".lfsconfig": f"[lfs]\n\turl = http://127.0.0.1:{server.port}/lfs\n",
            "a.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        },
    )

    await source.fetch(repository("shop"), log=log)

    assert any("Git LFS" in line for line in log.said)
    assert not [line for line in server.asked if "/lfs" in line]


@pytest.mark.parametrize("ref", ["main;touch", "a$(touch)", "feature/üñí-1"])
async def test_g11_g14_a_branch_is_one_literal_word(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog, ref: str
) -> None:
    server.create("shop", {"a": "1"})
    sha = server.commit("shop", {"a": "2"}, branch=ref)

    checkout = await source.fetch(repository("shop", ref), log=log)

    assert (checkout.sha, checkout.branch) == (sha, ref)


@pytest.mark.parametrize("message", [None, "annotated"])
async def test_a_tag_leads_to_its_commit(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog, message: str | None
) -> None:
    sha = server.create("shop", {"a": "1"})
    server.tag("shop", "v1", message=message)
    server.commit("shop", {"a": "2"})

    checkout = await source.fetch(repository("shop", "v1"), log=log)

    assert (checkout.sha, checkout.branch) == (sha, "")


async def test_a_commit_that_is_here_needs_no_server(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog
) -> None:
    sha = server.create("shop", {"a": "1"})
    first = await source.fetch(repository("shop"), log=log)
    server.asked.clear()

    again = await source.fetch(repository("shop", sha), log=log)

    assert again.tree == first.tree
    assert server.asked == []


async def test_a_history_that_was_rewritten_is_followed(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog
) -> None:
    server.create("shop", {"a": "1"})
    await source.fetch(repository("shop"), log=log)
    git("update-ref", "-d", "refs/heads/main", folder=server.folder("shop"))
    sha = server.commit("shop", {"b": "2"}, "Other history")

    checkout = await source.fetch(repository("shop"), log=log)

    assert checkout.sha == sha
    assert files(checkout) == {"b": b"2"}


@pytest.mark.parametrize("damage", ["objects", "HEAD", "locks"])
async def test_a_damaged_mirror_is_made_anew(
    source: GitSource,
    server: GitServer,
    repository: Make,
    log: FakeLog,
    home: Home,
    damage: str,
) -> None:
    server.create("shop", {"a": "1"})
    await source.fetch(repository("shop"), log=log)
    repo = home.mirrors / str(KEY) / "repo"
    match damage:
        case "objects":
            for pack in (repo / "objects/pack").iterdir():
                pack.chmod(0o644)
                pack.write_bytes(b"junk")
        case "HEAD":
            (repo / "HEAD").write_text("junk")
        case _:
            (repo / "shallow.lock").write_text("")
            (repo / "refs/autostack/wanted.lock").write_text("")
    sha = server.commit("shop", {"a": "2"})

    checkout = await source.fetch(repository("shop"), log=log)

    assert checkout.sha == sha
    assert files(checkout) == {"a": b"2"}


async def test_two_fetches_at_once_share_one_mirror_in_turn(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog, home: Home
) -> None:
    server.create("shop", {"a": "1"})
    other = GitSource(home, private_hosts(["127.0.0.1"]))

    found = await asyncio.gather(
        *(one.fetch(repository("shop"), log=log) for one in (source, other) * 4)
    )

    assert len({checkout.tree for checkout in found}) == 1


async def test_a_forgotten_repository_takes_no_disk(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog, home: Home
) -> None:
    server.create("shop", {"a": "1"})
    await source.fetch(repository("shop"), log=log)

    await source.forget(KEY)
    await source.forget(KEY)

    assert list(home.mirrors.iterdir()) == []
    assert list(home.trees.iterdir()) == []


@pytest.mark.attack("S05")
async def test_m4_a_token_is_in_no_argument_and_in_no_file(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog, home: Home
) -> None:
    server.token = "t0ken-canary"
    server.create("shop", {"a": "1"})
    seen: list[str] = []

    async def watch() -> None:
        while True:
            seen.append(await asyncio.to_thread(command_lines))
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    await source.fetch(repository("shop", credential=Credential(token="t0ken-canary")), log=log)
    watching.cancel()

    assert any("git-remote-http" in lines or "fetch" in lines for lines in seen)
    assert not [lines for lines in seen if "t0ken-canary" in lines]
    written = [path for path in home.root.rglob("*") if path.is_file()]
    assert not [path for path in written if b"t0ken-canary" in path.read_bytes()]


def command_lines() -> str:
    found: list[bytes] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes())
        except OSError:
            continue
    return b"\n".join(found).decode(errors="replace")


async def test_g41_a_redirect_is_not_followed(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog
) -> None:
    server.create("shop", {"a": "1"})
    server.create("internal", {"secret": "1"})
    server.manners["shop"] = "redirect"
    server.elsewhere = f"{server.url('internal')}/info/refs?service=git-upload-pack"

    with pytest.raises(RepositoryRefused, match="redirects"):
        await source.fetch(repository("shop"), log=log)

    assert not [line for line in server.asked if "internal" in line]


def answering(*addresses: str) -> Lookup:
    """A resolver that knows one answer."""

    async def lookup(_host: str, _port: int) -> tuple[IPAddress, ...]:
        return tuple(ip_address(one) for one in addresses)

    return lookup


async def test_r07_a_name_that_leads_to_this_machine_is_refused(
    home: Home, server: GitServer, log: FakeLog
) -> None:
    lookup = answering("140.82.121.3", "127.0.0.1")
    source = GitSource(home, PrivateHosts(), lookup=lookup)

    with pytest.raises(RepositoryRefused, match="this machine"):
        await source.fetch(
            Repository(key=KEY, url=f"https://git.example.com:{server.port}/shop.git"), log=log
        )

    assert server.asked == []


@pytest.mark.attack("R07")
async def test_git_connects_where_the_check_looked_and_asks_no_resolver_again(
    home: Home, server: GitServer, log: FakeLog
) -> None:
    server.create("shop", {"a": "1"})
    source = GitSource(home, private_hosts(["git.invalid"]), lookup=answering("127.0.0.1"))
    url = f"http://git.invalid:{server.port}/shop.git"

    checkout = await source.fetch(Repository(key=KEY, url=url), log=log)

    assert files(checkout) == {"a": b"1"}


@pytest.mark.attack("R07")
@pytest.mark.needs("sshd")
async def test_ssh_connects_where_the_check_looked(
    home: Home, server: GitServer, log: FakeLog, tmp_path: Path
) -> None:
    private, public = make_deploy_key()
    server.create("shop", {"a": "1"})
    source = GitSource(home, private_hosts(["git.invalid"]), lookup=answering("127.0.0.1"))
    with SshServer(tmp_path / "sshd", server.root, public=public) as door:
        url = door.url("shop").replace("127.0.0.1", "git.invalid")
        key = Credential(private_key=private)

        checkout = await source.fetch(Repository(key=KEY, url=url, credential=key), log=log)

    assert files(checkout) == {"a": b"1"}


@pytest.mark.needs("sshd")
async def test_another_key_is_denied(
    source: GitSource, server: GitServer, log: FakeLog, tmp_path: Path
) -> None:
    server.create("shop", {"a": "1"})
    with SshServer(tmp_path / "sshd", server.root, public=make_deploy_key()[1]) as door:
        key = Credential(private_key=make_deploy_key()[0])

        with pytest.raises(RepositoryDenied):
            await source.fetch(Repository(key=KEY, url=door.url("shop"), credential=key), log=log)


@pytest.mark.needs("sshd")
async def test_a_host_whose_key_changed_is_not_trusted(
    source: GitSource, server: GitServer, log: FakeLog, tmp_path: Path
) -> None:
    private, public = make_deploy_key()
    server.create("shop", {"a": "1"})
    door = SshServer(tmp_path / "sshd", server.root, public=public)
    wanted = Repository(key=KEY, url=door.url("shop"), credential=Credential(private_key=private))
    with door:
        await source.fetch(wanted, log=log)
    door.make_host_key()

    with door, pytest.raises(RepositoryUnreachable, match="host key"):
        await source.fetch(wanted, log=log)


async def test_a_redeploy_of_a_known_commit_is_quick(
    source: GitSource, server: GitServer, repository: Make, log: FakeLog
) -> None:
    server.create("shop", {f"{number}": "x" for number in range(500)})
    await source.fetch(repository("shop"), log=log)

    began = time.monotonic()
    await source.fetch(repository("shop"), log=log)

    assert time.monotonic() - began < 2, "about 0.1 s on an idle machine"


@pytest.mark.needs("root")
async def test_git_runs_as_the_user_it_was_given(
    server: GitServer, repository: Make, log: FakeLog, reachable: Path
) -> None:
    uid = 1_900_070_001
    server.create("shop", {"a": "1"})
    source = GitSource(Home(reachable), private_hosts(["127.0.0.1"]), uid=uid)

    checkout = await source.fetch(repository("shop"), log=log)

    assert files(checkout) == {"a": b"1"}
    pack = next((reachable / "mirrors" / str(KEY) / "repo/objects/pack").glob("*.pack"))
    assert pack.stat().st_uid == uid
    assert (checkout.tree / "a").stat().st_uid == 0
