from pathlib import Path

import pytest

from autostack.core.home import Home
from autostack.entrypoints.local import handover


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.run.mkdir()
    return home


def test_a_program_starts_with_the_settings_that_were_given_last(home: Home) -> None:
    handover.give(home, {"AUTOSTACK_API_RATE": "1/minute", "PATH": "/new"})
    old = {"AUTOSTACK_API_RATE": "9/minute", "AUTOSTACK_BIND": "0.0.0.0", "PATH": "/old"}

    assert handover.take(home, old) == {"AUTOSTACK_API_RATE": "1/minute", "PATH": "/old"}


def test_who_watches_the_supervisor_is_not_handed_over(home: Home) -> None:
    handover.give(home, {"AUTOSTACK_SERVICE": "other"})

    assert handover.take(home, {"AUTOSTACK_SERVICE": "systemd"}) == {"AUTOSTACK_SERVICE": "systemd"}


def test_what_differs_is_named_and_never_shown(home: Home) -> None:
    handover.give(home, {"AUTOSTACK_SECRET_KEY": "one", "AUTOSTACK_BIND": "127.0.0.1"})
    asked = {"AUTOSTACK_SECRET_KEY": "two", "AUTOSTACK_BIND": "127.0.0.1", "AUTOSTACK_PORT": "1"}

    assert handover.differ(home, asked) == ["AUTOSTACK_PORT", "AUTOSTACK_SECRET_KEY"]


def test_only_the_platforms_own_user_may_read_what_was_given(home: Home) -> None:
    handover.give(home, {"AUTOSTACK_SECRET_KEY": "one"})

    (file,) = home.run.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
