"""What `autostack deploy DIRECTORY` sends."""

import hashlib
import io
import tarfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import pytest

from autostack.entrypoints.cli import pack
from autostack.entrypoints.cli.errors import CliError, Usage
from tests.gitserver import git

pytestmark = pytest.mark.needs("git")
Pack = Callable[[Path], AbstractContextManager[IO[bytes]]]


def run(folder: Path, *args: str) -> None:
    git("-C", str(folder), *args)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with a commit, a change to it, a new file, a deleted and an ignored one."""
    here = tmp_path / "app"
    (here / "web").mkdir(parents=True)
    for name, text in {"app.py": "1", "web/x": "x", "gone": "", ".gitignore": ".env\n"}.items():
        (here / name).write_text(text)
    (here / "main.py").symlink_to("app.py")
    (here / "web" / "x").chmod(0o700)
    run(here, "init", "--quiet")
    run(here, "add", "--all")
    run(here, "commit", "--quiet", "--message", "Begin")
    (here / "app.py").write_text("2")
    (here / "new file").write_text("n")
    (here / "gone").unlink()
    (here / ".env").write_text("SECRET=1")
    return here


def members(packed: IO[bytes]) -> dict[str, tuple[str, int]]:
    with tarfile.open(fileobj=io.BytesIO(packed.read()), mode="r:gz") as tar:
        found: dict[str, tuple[str, int]] = {}
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            text = content.read().decode() if content else member.linkname
            if not member.isdir():
                found[member.name] = text, member.mode & 0o111
        return found


def test_what_is_committed_is_sent(folder: Path) -> None:
    with pack.committed(folder) as packed:
        found = members(packed)

    assert set(found) == {"app.py", "web/x", "gone", ".gitignore", "main.py"}
    assert found["app.py"] == ("1", 0)
    assert found["main.py"][0] == "app.py"
    assert found["web/x"][1] == 0o111


def test_what_lies_there_is_sent_without_what_is_ignored(folder: Path) -> None:
    with pack.as_it_is(folder) as packed:
        found = members(packed)

    assert set(found) == {"app.py", "web/x", "new file", ".gitignore", "main.py"}
    assert found["app.py"] == ("2", 0)
    assert found["web/x"] == ("x", 0o111)


def test_a_part_of_a_repository_is_sent_as_if_it_were_all(folder: Path) -> None:
    for packer in (pack.committed, pack.as_it_is):
        with packer(folder / "web") as packed:
            assert set(members(packed)) == {"x"}


@pytest.mark.parametrize("packer", [pack.committed, pack.as_it_is])
def test_the_same_content_is_the_same_upload(folder: Path, packer: Pack) -> None:
    digests: set[str] = set()
    for _ in range(2):
        (folder / "app.py").touch()
        with packer(folder) as packed:
            digests.add(hashlib.sha256(packed.read()).hexdigest())

    assert len(digests) == 1


def test_what_is_not_committed_is_counted(folder: Path) -> None:
    assert pack.not_committed(folder) == 3
    (folder / "web" / ".autostack.json").touch()
    assert pack.not_committed(folder / "web") == 0


def test_a_directory_outside_of_git_is_sent_by_its_gitignore(tmp_path: Path) -> None:
    for name, text in {"app.py": "1", ".env": "SECRET=1", ".gitignore": ".env\n"}.items():
        (tmp_path / name).write_text(text)

    with pytest.raises(Usage, match="no Git repository"), pack.committed(tmp_path):
        pass
    with pack.as_it_is(tmp_path) as packed:
        assert set(members(packed)) == {"app.py", ".gitignore"}


def test_without_a_commit_there_is_a_word_about_it(tmp_path: Path) -> None:
    run(tmp_path, "init", "--quiet")

    with pytest.raises(Usage, match="no commit"), pack.committed(tmp_path):
        pass


@pytest.mark.parametrize("target", ["/etc/passwd", "../secret", "web/../../secret"])
def test_a_link_that_leads_outside_is_not_sent(folder: Path, target: str) -> None:
    (folder / "bad").symlink_to(target)

    with pytest.raises(CliError, match="bad links to"), pack.as_it_is(folder):
        pass


def test_an_empty_directory_is_not_sent(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="nothing to send"), pack.as_it_is(tmp_path):
        pass
