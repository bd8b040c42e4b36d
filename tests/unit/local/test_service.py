"""The systemd unit."""

from pathlib import Path

from autostack.core.settings import Settings
from autostack.entrypoints.local import service

SETTINGS = Settings(home=Path("/srv/100% mine"), database_url="postgresql://u:pa55word@db/a")


def unit(**environ: str) -> str:
    return service.text(SETTINGS, environ, system=True)


def test_apps_go_on_when_the_supervisor_dies_and_it_comes_back() -> None:
    lines = unit().splitlines()

    assert "KillMode=process" in lines
    assert "Restart=on-failure" in lines
    assert "StartLimitIntervalSec=0" in lines


def test_the_home_is_quoted_as_systemd_reads_it() -> None:
    assert 'Environment="AUTOSTACK_HOME=/srv/100%% mine"' in unit().splitlines()


def test_no_secret_is_written_into_the_unit() -> None:
    said = unit(
        AUTOSTACK_DATABASE_URL="postgresql://u:pa55word@db/a", AUTOSTACK_SECRET_KEY="s3cret"
    )

    assert "pa55word" not in said
    assert "s3cret" not in said


def test_the_platform_knows_that_somebody_else_restarts_it() -> None:
    assert "Environment=AUTOSTACK_SERVICE=systemd" in unit().splitlines()
