"""What of a shell's environment reaches the platform, and what of the settings a program."""

from pathlib import Path

import pytest

from autostack.core.settings import Settings
from autostack.entrypoints.local import environ

HOME = Path("/srv/autostack")


def test_a_shells_secrets_stay_in_the_shell() -> None:
    shell = {"AWS_SECRET_ACCESS_KEY": "x", "GITHUB_TOKEN": "x", "PYTHONPATH": "/evil"}

    kept = environ.clean(shell, home=HOME)

    assert not kept.keys() & shell.keys()


@pytest.mark.parametrize("name", ["AUTOSTACK_PORT", "HTTPS_PROXY", "no_proxy", "PIP_INDEX_URL"])
def test_settings_and_the_way_to_the_registries_are_kept(name: str) -> None:
    assert environ.clean({name: "value"}, home=HOME)[name] == "value"


def test_a_relative_home_is_replaced_by_the_one_that_was_meant() -> None:
    assert environ.clean({"AUTOSTACK_HOME": "home"}, home=HOME)["AUTOSTACK_HOME"] == str(HOME)


def test_settings_survive_the_way_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        home=HOME,
        port=8123,
        private_hosts=("10.0.0.0/8", "git.example.com"),
        unsafe_no_sandbox=True,
    )

    for name, value in environ.as_environ(settings).items():
        monkeypatch.setenv(name, value)

    assert Settings() == settings


def test_programs_without_need_see_no_secret_setting() -> None:
    settings = Settings(home=HOME, secret_key="k" * 40, database_url="postgresql://u:p@db/a")
    own = {"AUTOSTACK_SECRET_KEY": "k" * 40, "AUTOSTACK_DATABASE_URL": "postgresql://u:p@db/a"}

    shown = environ.without_secrets(own, settings)

    assert not shown.keys() & own.keys()
    assert "k" * 40 not in shown.values()
