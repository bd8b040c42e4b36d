"""Accounts looked after on the server, with nobody signed in."""

import asyncio
import json
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from autostack.core import crypto
from autostack.core.settings import Settings
from autostack.entrypoints.cli.main import app as cli
from autostack.entrypoints.http import Keys, assemble
from tests.integration.api.conftest import speak

PASSWORD = "three blue bicycles"
ADA = "ada@example.com"


@pytest.fixture(autouse=True)
def on_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> None:
    monkeypatch.setenv("AUTOSTACK_HOME", str(tmp_path))
    monkeypatch.setenv("AUTOSTACK_DATABASE_URL", database_url)
    monkeypatch.setenv("AUTOSTACK_PASSWORD", PASSWORD)


def admin(*args: str, code: int = 0) -> str:
    done = CliRunner().invoke(cli, ["admin", *args])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.stderr


def listed() -> dict[str, dict[str, object]]:
    return {one["email"]: one for one in json.loads(admin("list", "--json"))}


def test_the_first_account_administers_and_others_only_when_told() -> None:
    admin("create-user", ADA)
    admin("create-user", "eve@example.com")
    admin("create-user", "bob@example.com", "--admin")

    found = {email: one["is_admin"] for email, one in listed().items()}
    assert found == {ADA: True, "eve@example.com": False, "bob@example.com": True}
    assert ADA in admin("list")


@pytest.mark.parametrize("address", [ADA.upper(), "no address"])
def test_what_cannot_be_made_is_said_in_words(address: str) -> None:
    admin("create-user", ADA)

    said = admin("create-user", address, code=1)

    assert "already an account" in said or "not an e-mail address" in said


def test_a_common_password_is_refused_here_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOSTACK_PASSWORD", "password123")

    assert "most people use" in admin("create-user", ADA, code=1)


@pytest.mark.parametrize("command", ["unlock", "reset-totp", "reset-password"])
def test_an_account_that_is_not_there_is_said_so(command: str) -> None:
    said = admin(command, "nobody@example.com", code=1)

    assert said == (
        "There is no account with this address.\n`autostack admin list` shows every account.\n"
    )


async def ask(url: str, home: Path, *calls: tuple[str, dict[str, str]]) -> list[int]:
    """What the api of this platform answers, one call after the other."""
    keys = Keys(secret=crypto.generate_secret(), seal=crypto.generate()[1])
    app = assemble(Settings(home=home), keys, url=url)
    async with app.router.lifespan_context(app), speak(app) as client:
        return [(await client.post(path, json=body)).status_code for path, body in calls]


def test_a_lock_is_lifted_and_a_password_is_set_without_mail(
    database_url: str, tmp_path: Path
) -> None:
    admin("create-user", ADA)
    guess = ("/auth/login", {"email": ADA, "password": "a guess of mine"})
    right = ("/auth/login", {"email": ADA, "password": PASSWORD})
    answers = asyncio.run(ask(database_url, tmp_path, *[guess] * 5, right))
    assert answers == [401] * 5 + [423]
    assert listed()[ADA]["locked_until"] is not None

    admin("unlock", ADA)
    token = admin("reset-password", ADA).partition("#token=")[2].split()[0]

    assert listed()[ADA]["locked_until"] is None
    new = {"token": token, "new_password": "four red ones"}
    signed_in = ("/auth/login", {"email": ADA, "password": "four red ones"})
    calls = (right, ("/auth/password/reset/confirm", new), signed_in, right)
    assert asyncio.run(ask(database_url, tmp_path, *calls)) == [200, 200, 200, 401]


def test_a_lost_second_factor_is_turned_off(database_url: str) -> None:
    admin("create-user", ADA)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "insert into second_factors (user_id, secret, last_step, created_at, confirmed_at)"
            " select id, 'x', 0, now(), now() from users"
        )
    assert listed()[ADA]["second_factor"] is True

    admin("reset-totp", ADA)

    assert listed()[ADA]["second_factor"] is False


def test_the_sealing_keys_are_changed_once_at_a_time(tmp_path: Path) -> None:
    private, public = crypto.generate()
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/seal.key").write_text(private)
    (tmp_path / "secrets/seal.pub").write_text(public)
    (tmp_path / "secrets/seal.pub").chmod(0o600)

    assert "with one key" in admin("rotate-keys", "--status")
    assert "within minutes" in admin("rotate-keys")
    assert "under way" in admin("rotate-keys", code=1)

    keys = (tmp_path / "secrets/seal.key").read_text().split()
    assert keys[1] == private
    assert (tmp_path / "secrets/seal.pub").read_text() == crypto.public_of(keys[0])
    assert (tmp_path / "secrets/seal.pub").stat().st_mode & 0o777 == 0o600


def test_keys_that_are_not_there_are_said_in_words() -> None:
    assert "cannot be read" in admin("rotate-keys", code=1)
