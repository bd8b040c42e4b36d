"""What commands print, and the codes they end with; nothing here talks to a server."""

import json
import os
import stat
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autostack.entrypoints.cli import link, output, reference, store
from autostack.entrypoints.cli.follow import watched
from autostack.entrypoints.cli.main import app, spelled
from autostack.entrypoints.cli.store import Login

ADA = Login(email="ada@example.com", access_token="a", refresh_token="r")
SERVER = "https://stack.example.com"


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No setting of the machine, no link of this checkout."""
    for name in [one for one in os.environ if one.startswith("AUTOSTACK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_reference_is_what_the_commands_say() -> None:
    written = Path(__file__).parents[3] / reference.FILE

    assert written.read_text() == reference.text(), (
        "run `python -m autostack.entrypoints.cli.reference`"
    )


def test_help_and_completion_import_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['autostack', '--help']\n"
        "from autostack.entrypoints.cli.main import run\n"
        "try: run()\n"
        "except SystemExit: pass\n"
        "heavy = {'pydantic', 'httpx', 'rich', 'psycopg', 'sqlalchemy'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert "Deployments:" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["nothing"], 2, "No such command"),
        (["scale", "web"], 2, "TYPE=COUNT"),
        (["env", "set", "KEY=value"], 2, "Values do not belong on the command line"),
        (["plan"], 2, "Which repository?"),
        (["projects", "--server", "nonsense"], 4, "is not a server address"),
    ],
)
def test_each_kind_of_failure_has_its_code_and_no_traceback(
    args: list[str], code: int, said: str
) -> None:
    done = CliRunner().invoke(app, args)

    assert done.exit_code == code
    assert said in done.stderr
    assert "Traceback" not in done.output


def test_tokens_are_for_this_user_alone() -> None:
    store.remember(SERVER, ADA)

    file = store.config_file()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert store.servers() == {SERVER: ADA}


def test_the_server_signed_in_to_last_is_the_default_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert store.default_server() == "http://127.0.0.1:8000"
    store.remember(SERVER, ADA)
    store.remember("http://other", ADA)
    assert store.default_server() == "http://other"
    store.remember(SERVER, ADA)
    assert store.default_server() == SERVER
    store.forget(SERVER)
    assert store.default_server() == "http://other"

    monkeypatch.setenv("AUTOSTACK_SERVER", "http://named/")
    assert store.named_server() == "http://named"


def test_a_damaged_configuration_reads_as_not_signed_in() -> None:
    store.remember(SERVER, ADA)
    store.config_file().write_text('{"servers": {"x": 1}}')

    assert store.servers() == {}


def test_a_strangers_link_file_gets_no_token(
    own_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = {"project": "shop", "server": "https://evil.example"}
    (own_place / link.NAME).write_text(json.dumps(linked))
    store.remember(SERVER, ADA)

    assert link.server() == ""
    (own_place / link.NAME).write_text(json.dumps({**linked, "server": SERVER}))
    assert link.server() == SERVER
    monkeypatch.setenv("AUTOSTACK_TOKEN", "secret")
    assert link.server() == ""


def test_the_link_is_found_from_below(own_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link.write("shop", SERVER)
    below = own_place / "src" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)

    assert link.read() == {"project": "shop", "server": SERVER}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\x07b\x00c\x9b31m", "abc31m"),
        ("tab\tstays, ümläut too", "tab\tstays, ümläut too"),
        ("\u202etxt.exe", "txt.exe"),
    ],
)
def test_a_log_cannot_drive_the_terminal(text: str, shown: str) -> None:
    assert output.clean(text) == shown


def test_brackets_in_a_log_are_not_commands_of_ours() -> None:
    assert output.plain("[red]not red[/]") == r"\[red]not red\[/]"


def test_a_duration_is_shown_once_it_ended() -> None:
    assert output.seconds("2026-01-01T00:00:00Z", "2026-01-01T00:00:01.25Z") == "1.2 s"
    assert output.seconds("2026-01-01T00:00:00Z", None) == ""


def test_a_piped_table_is_one_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("NAME", "ID"), [("x" * 300, "0b4cd9f2-65f5-4f26-a8a0-a33d0b7a8a55")])

    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_version_is_one_line() -> None:
    done = CliRunner().invoke(app, ["--version"])

    assert (done.exit_code, done.stdout) == (0, f"autostack {version('autostack')}\n")


def test_an_option_may_be_written_with_its_value() -> None:
    assert spelled(["deploy", "--wait=settled"]) == ["deploy", "--settled"]
    assert spelled(["deploy", "--wait=success", "."]) == ["deploy", "--wait", "."]
    assert spelled(["run", "--", "cmd", "--wait=settled"]) == ["run", "--", "cmd", "--wait=settled"]


def test_the_verdict_of_a_watch_is_told_in_words() -> None:
    seen = {"seconds": 60.2, "requests": 900, "errors": 3, "basis": "traffic", "why": None}

    assert watched({**seen, "state": "passed"}) == (
        "Watched for 60 s: 3 of 900 requests were answered with an error."
    )
    assert "health and restarts" in watched({**seen, "state": "passed", "basis": "health"})
    assert "Worse than before" in watched({**seen, "state": "worse", "why": "web is slow"})
    assert "newer deployment" in watched({**seen, "state": "replaced"})
    assert watched({"state": "open", "limit": 60.0}) == "Watched for 60 s from now on."
