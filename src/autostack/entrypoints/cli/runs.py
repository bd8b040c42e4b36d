"""One command in the environment's release: run it, follow it, cancel it."""

import re
import shlex
from contextlib import suppress
from typing import Annotated

import typer

from autostack.entrypoints.cli import output
from autostack.entrypoints.cli.client import Client, Json
from autostack.entrypoints.cli.errors import CliError, Interrupted, Usage
from autostack.entrypoints.cli.options import (
    PRODUCTION,
    AsJson,
    Env,
    Project,
    Server,
    Target,
    in_words,
)

AS_GIVEN = {"allow_interspersed_args": False}
"""What stands behind the command's first word is the command's own, also what begins with -."""
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}

Command = Annotated[list[str] | None, typer.Argument(metavar="-- COMMAND …", help="What to run.")]
Timeout = Annotated[
    str, typer.Option("--timeout", "-t", help="End it after so long, as in 90s, 30m or 2h.")
]
Detach = Annotated[
    bool, typer.Option("--detach", "-d", help="Return at once; `autostack runs` looks after it.")
]
Which = Annotated[str, typer.Argument(metavar="ID")]
Count = Annotated[int, typer.Option("--count", "-c", help="How many.", min=1, max=100)]


def run(
    command: Command = None,
    project: Project = None,
    env: Env = PRODUCTION,
    timeout: Timeout = "1h",
    detach: Detach = False,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Run a command once in the live release, with its variables. Its exit code is ours."""
    with in_words():
        body = {"command": as_sent(command), "timeout": seconds(timeout)}
        target = Target(server, project, env)
        asked = target.client.post(f"{target.at}/runs", body)
        if detach:
            _leave(asked, as_json=as_json)
            return
        found = _awaited(target.client, asked, quiet=as_json)
        if as_json:
            output.as_json(found)
        if found["status"] != "done":
            raise typer.Exit(found["exit_code"] or CliError.exit_code)


commands = typer.Typer(no_args_is_help=True, help="Commands that were run with `autostack run`.")


@commands.command("list")
def runs_list(
    project: Project = None,
    env: Env = PRODUCTION,
    count: Count = 20,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """List them, newest first."""
    with in_words():
        target = Target(server, project, env)
        found = target.client.get(f"{target.at}/runs", limit=count)["items"]
        if as_json:
            output.as_json(found)
            return
        rows = [
            (
                output.mark(one["status"]),
                "" if one["exit_code"] is None else str(one["exit_code"]),
                output.seconds(one["started_at"] or one["created_at"], one["finished_at"]),
                output.plain(shlex.join(one["command"])),
                one["id"],
            )
            for one in found
        ]
        output.table(("STATUS", "EXIT CODE", "TOOK", "COMMAND", "ID"), rows)


@commands.command("logs")
def runs_logs(which: Which, server: Server = None, as_json: AsJson = False) -> None:
    """Print what one printed, and go on until it is over."""
    with in_words():
        for sent in Target(server).client.stream(f"/runs/{which}/logs"):
            if sent.kind == "end":
                return
            output.json_line(sent.data) if as_json else _show(sent.data)


@commands.command("cancel")
def runs_cancel(which: Which, server: Server = None) -> None:
    """End one, with everything it started."""
    with in_words():
        Target(server).client.post(f"/runs/{which}/cancel")
        typer.echo(f"Asked to cancel {which}.")


def as_sent(words: list[str] | None) -> list[str] | str:
    """One word with spaces in it is a command line that was quoted as a whole."""
    if not words:
        raise Usage(
            "There is no command to run.", "As in `autostack run -- python manage.py migrate`."
        )
    return words[0] if len(words) == 1 and " " in words[0].strip() else words


def seconds(text: str) -> int:
    found = re.fullmatch(r"(\d{1,6})([smh]?)", text)
    if found is None:
        raise Usage(f"{text!r} is not a time.", "As in `--timeout 90s`, `30m` or `2h`.")
    return int(found[1]) * UNITS[found[2]]


def _leave(asked: Json, *, as_json: bool) -> None:
    if as_json:
        output.as_json(asked)
        return
    typer.echo(f"Started as {asked['id']}.")
    typer.echo(f"Follow it with `autostack runs logs {asked['id']}`.", err=True)


def _awaited(client: Client, asked: Json, *, quiet: bool) -> Json:
    """The finished run. Ctrl-C cancels it: nobody would wait for its exit code any more."""
    try:
        return _followed(client, str(asked["id"]), quiet=quiet)
    except KeyboardInterrupt:
        # Where it ended by itself meanwhile there is nothing to cancel.
        with suppress(CliError):
            client.post(f"/runs/{asked['id']}/cancel")
        raise Interrupted("Canceled; everything it started is being ended.") from None


def _followed(client: Client, run_id: str, *, quiet: bool) -> Json:
    said = ""
    for sent in client.stream(f"/runs/{run_id}/logs"):
        if sent.kind == "end":
            break
        if not quiet:
            _show(sent.data)
            said = sent.data["text"]
    found = client.get(f"/runs/{run_id}")
    reason = found["error_message"]
    if reason and reason != said and not quiet:
        # One that never began, and a full disk, leave nothing in the log.
        typer.echo(output.clean(reason), err=True)
    return found


def _show(line: Json) -> None:
    """What the command printed is ours to print; what the platform says goes beside it."""
    said = line["level"] != "output"
    typer.echo(output.clean(line["text"]), err=said)
