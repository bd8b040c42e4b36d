"""Uploaded archives of threat B28: the same rules as for a commit's tree."""

import io
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Literal

import pytest

from autostack.core.home import Home
from autostack.core.uploads import UploadTooLarge, keep_upload, upload_folder, upload_url
from autostack.drivers.sources.either import EitherSource
from autostack.drivers.sources.git import GitSource
from autostack.drivers.sources.tree import TreeLimits
from autostack.drivers.sources.upload import UploadSource
from autostack.engine.errors import (
    BranchNotFound,
    RepositoryRefused,
    RepositoryTooLarge,
    TreeRefused,
)
from autostack.engine.release import MIB, Checkout, Repository
from tests.fakes import FakeLog
from tests.gitserver import GitServer
from tests.integration.sources.conftest import KEY, files

Fill = Callable[[tarfile.TarFile], None]


def add(tar: tarfile.TarFile, name: str, data: bytes = b"1", **facts: object) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    for key, value in facts.items():
        setattr(member, key, value)
    tar.addfile(member, io.BytesIO(data))


def special(tar: tarfile.TarFile, name: str, kind: bytes, target: str = "") -> None:
    add(tar, name, b"", type=kind, linkname=target)


def packed(fill: Fill, mode: Literal["w", "w:gz"] = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:
        fill(tar)
    return out.getvalue()


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


async def deploy(home: Home, data: bytes, limits: TreeLimits | None = None) -> Checkout:
    digest = await keep_upload(upload_folder(home, KEY), pieces(data), limit=64 * MIB)
    source = UploadSource(home, limits=limits or TreeLimits())
    return await source.fetch(Repository(key=KEY, url=upload_url(digest)), log=FakeLog())


@pytest.mark.parametrize("mode", ["w", "w:gz"])
async def test_an_uploaded_directory_is_a_tree(home: Home, mode: Literal["w", "w:gz"]) -> None:
    def fill(tar: tarfile.TarFile) -> None:
        special(tar, ".", tarfile.DIRTYPE)
        special(tar, "./web", tarfile.DIRTYPE)
        add(tar, "./web/run", b"#!/bin/sh\n", mode=0o4755)
        add(tar, "app.py", b"print(1)\n")
        special(tar, "main.py", tarfile.SYMTYPE, "app.py")

    checkout = await deploy(home, packed(fill, mode))

    assert checkout.sha.startswith("upload-")
    assert files(checkout) == {"app.py": b"print(1)\n", "web/run": b"#!/bin/sh\n"}
    assert (checkout.tree / "web/run").stat().st_mode & 0o7777 == 0o755
    assert (checkout.tree / "main.py").is_symlink()


FILE, LINK, HARD = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


@pytest.mark.parametrize(
    "members",
    [
        [("../../../../etc/cron.d/x", FILE, "")],
        [("/etc/cron.d/x", FILE, "")],
        [("a", LINK, "b"), ("a/x", FILE, "")],
        [("a", FILE, ""), ("a", FILE, "")],
        [("a", FILE, ""), ("./a", FILE, "")],
        [("a", LINK, "/etc")],
        [("a", LINK, "../x")],
        [("a", FILE, ""), ("b", HARD, "a")],
        [("a", tarfile.CHRTYPE, "")],
        [("a", tarfile.FIFOTYPE, "")],
        [(".git/config", FILE, "")],
    ],
    ids=str,
)
async def test_b28_an_archive_that_reaches_out_is_refused(
    home: Home, members: list[tuple[str, bytes, str]], tmp_path: Path
) -> None:
    def fill(tar: tarfile.TarFile) -> None:
        for name, kind, target in members:
            special(tar, name, kind, target)

    with pytest.raises(TreeRefused):
        await deploy(home, packed(fill))

    assert not list(home.trees.glob("*/*"))
    assert not (tmp_path / "etc").exists()


async def test_b28_a_bomb_is_stopped_at_the_limit(home: Home) -> None:
    bomb = packed(lambda tar: add(tar, "a", b"\0" * (32 * MIB)))

    with pytest.raises(RepositoryTooLarge):
        await deploy(home, bomb, TreeLimits(size=MIB, entries=10))


async def test_b28_a_header_that_would_fill_the_memory_is_refused(home: Home) -> None:
    def fill(tar: tarfile.TarFile) -> None:
        add(tar, "x", b"\0" * (2 * MIB), type=tarfile.XHDTYPE)
        add(tar, "a")

    with pytest.raises(TreeRefused, match="header"):
        await deploy(home, packed(fill))


async def test_what_is_no_archive_is_refused(home: Home) -> None:
    whole = packed(lambda tar: add(tar, "a", b"1" * 50_000))

    for data in (b"hello" * 1000, whole[: len(whole) // 2], b"\x1f\x8bjunk"):
        with pytest.raises(TreeRefused, match="tar archive"):
            await deploy(home, data)


async def test_an_upload_beyond_the_limit_leaves_nothing(home: Home) -> None:
    with pytest.raises(UploadTooLarge):
        await keep_upload(upload_folder(home, KEY), pieces(b"x" * 5000), limit=4000)

    assert list(upload_folder(home, KEY).iterdir()) == []


@pytest.mark.parametrize("url", ["upload:../../etc/passwd", "upload:", "https://example.com/x"])
async def test_only_a_digest_names_an_upload(home: Home, url: str) -> None:
    with pytest.raises(RepositoryRefused):
        await UploadSource(home).fetch(Repository(key=KEY, url=url), log=FakeLog())


async def test_an_upload_that_is_gone_says_so(home: Home) -> None:
    wanted = Repository(key=KEY, url=upload_url("0" * 64))

    with pytest.raises(BranchNotFound):
        await UploadSource(home).fetch(wanted, log=FakeLog())


async def test_the_address_says_which_source_it_is_for(
    home: Home, source: GitSource, server: GitServer, repository: Callable[..., Repository]
) -> None:
    server.create("shop", {"a": "1"})
    archive = packed(lambda tar: add(tar, "b"))
    digest = await keep_upload(upload_folder(home, KEY), pieces(archive), limit=MIB)
    either = EitherSource(git=source, upload=UploadSource(home))

    cloned = await either.fetch(repository("shop"), log=FakeLog())
    sent = await either.fetch(Repository(key=KEY, url=upload_url(digest)), log=FakeLog())

    assert files(cloned) == {"a": b"1"}
    assert files(sent) == {"b": b"1"}


async def test_what_a_project_sent_and_had_cloned_is_forgotten_whole(
    home: Home, source: GitSource, server: GitServer, repository: Callable[..., Repository]
) -> None:
    server.create("shop", {"a": "1"})
    archive = packed(lambda tar: add(tar, "b"))
    digest = await keep_upload(upload_folder(home, KEY), pieces(archive), limit=MIB)
    either = EitherSource(git=source, upload=UploadSource(home))
    await either.fetch(repository("shop"), log=FakeLog())
    await either.fetch(Repository(key=KEY, url=upload_url(digest)), log=FakeLog())

    await either.forget(KEY)

    assert [path for path in home.root.rglob("*") if str(KEY) in path.name] == []
