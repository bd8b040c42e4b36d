"""supervisord's configuration, read back."""

import shlex
import sys
from configparser import RawConfigParser
from pathlib import Path

import pytest

from autostack.core.settings import Settings
from autostack.entrypoints.local.errors import HomeUnusable
from autostack.entrypoints.local.programs import supervisor_config


def read(settings: Settings) -> RawConfigParser:
    """As supervisord cuts it: ` ;` and ` #` begin comments."""
    parser = RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    parser.read_string(supervisor_config(settings))
    return parser


def expanded(parser: RawConfigParser, section: str, option: str) -> str:
    """As supervisord expands it."""
    return parser.get(section, option) % {"process_num": 0}


def test_every_program_is_started_by_this_interpreter() -> None:
    parser = read(Settings(home=Path("/srv/autostack")))

    for section in ("program:postgres", "program:logs", "program:control", "fcgi-program:edge"):
        command = expanded(parser, section, "command")
        assert shlex.split(command)[:3] == [sys.executable, "-m", "autostack.entrypoints.launch"]


def test_a_database_of_ones_own_means_none_of_ours() -> None:
    settings = Settings(home=Path("/srv/a"), database_url="postgresql://db.example.com/a")

    assert not read(settings).has_section("program:postgres")


def test_the_database_address_never_reaches_the_file() -> None:
    settings = Settings(home=Path("/srv/a"), database_url="postgresql://u:pa55word@db/a")

    assert "pa55word" not in supervisor_config(settings)


def test_a_percent_sign_in_the_path_survives() -> None:
    parser = read(Settings(home=Path("/srv/100%")))

    assert expanded(parser, "unix_http_server", "file") == "/srv/100%/run/supervisor.sock"


@pytest.mark.parametrize("home", ["/srv/a ;b", "/srv/a #b", "/srv/a\n[program:evil]"])
def test_a_path_that_would_change_the_configuration_is_refused(home: str) -> None:
    with pytest.raises(HomeUnusable):
        supervisor_config(Settings(home=Path(home)))
