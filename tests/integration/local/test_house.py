"""The platform's directory: whose it is, and what it must not be."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from autostack.core.home import Home
from autostack.drivers.machine import users
from autostack.entrypoints.local import house
from autostack.entrypoints.local.errors import DiskFull, HomeOfAnother, HomeUnusable


@pytest.fixture
def home() -> Iterator[Home]:
    # Unix socket paths are short, so not below pytest's long temporary directories.
    root = Path(mkdtemp(prefix="autostack-"))
    yield Home(root)
    shutil.rmtree(root)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_a_directory_that_holds_something_else_is_refused(home: Home) -> None:
    (home.root / "thesis.odt").touch()

    with pytest.raises(HomeUnusable, match="not empty"):
        house.claim(home)


def test_a_settings_file_may_be_there_first(home: Home) -> None:
    (home.root / "autostack.toml").touch()

    house.claim(home)


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HomeUnusable, match="too long"):
        house.claim(Home(tmp_path / ("deep" * 25)))


def test_a_file_in_the_way_is_said_in_words(home: Home) -> None:
    (home.root / "file").touch()

    with pytest.raises(HomeUnusable):
        house.claim(Home(home.root / "file"))


@pytest.mark.needs("root")
def test_a_home_of_another_user_is_refused_by_name(home: Home) -> None:
    nobody = users.find_user("nobody")
    assert nobody
    os.chown(home.root, nobody.uid, nobody.gid)

    with pytest.raises(HomeOfAnother, match=r"belongs to nobody, and you are root"):
        house.claim(home)


def test_too_little_disk_space_is_said_with_numbers(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house, "NEEDED", 1 << 60)

    with pytest.raises(DiskFull, match="MB are needed"):
        house.claim(home)


@pytest.mark.attack("A09", "S03")
def test_secrets_are_for_their_owner_alone_and_stay_the_same(home: Home) -> None:
    house.make_secrets(home, given=None)
    before = {file.name: file.read_text() for file in home.secrets.iterdir()}
    house.make_secrets(home, given=None)

    after = {file.name: file.read_text() for file in home.secrets.iterdir()}
    assert before == after
    assert before.keys() == {"secret.key", "seal.key", "seal.pub", "setup.code"}
    assert {mode(file) for file in home.secrets.iterdir()} == {0o600}


@pytest.mark.attack("S03")
@pytest.mark.needs("root")
def test_the_api_may_read_all_keys_but_the_one_that_opens(home: Home) -> None:
    house.make_secrets(home, given=None)

    api = users.find_user(users.API)
    assert api
    owners = {file.name: file.stat().st_uid for file in home.secrets.iterdir()}
    assert owners.pop("seal.key") == 0
    assert set(owners.values()) == {api.uid}


def test_a_secret_key_from_the_settings_is_not_written_down(home: Home) -> None:
    house.make_secrets(home, given="k" * 40)

    assert not (home.secrets / "secret.key").exists()
