"""What runs: look at it, read it, configure it, scale it, stop it."""

import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from autostack.entrypoints.cli import output
from autostack.entrypoints.cli.client import Json
from autostack.entrypoints.cli.deployments import Wait, finish
from autostack.entrypoints.cli.errors import Usage
from autostack.entrypoints.cli.options import (
    PRODUCTION,
    AsJson,
    Env,
    Project,
    Server,
    Target,
    in_words,
)

Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what comes.")]
OfProcess = Annotated[str | None, typer.Option("--process", help="Only this process type.")]
Lines = Annotated[int, typer.Option("--lines", "-n", help="How many lines.", min=1, max=1000)]
Sizes = Annotated[list[str], typer.Argument(metavar="TYPE=COUNT …", help="As in web=2 worker=1.")]
Pairs = Annotated[
    list[str],
    typer.Argument(metavar="NAME …", help="Names; each value is read from the terminal or stdin."),
]
Names = Annotated[list[str], typer.Argument(metavar="NAME …")]
Revoke = Annotated[
    bool,
    typer.Option("--revoke", help="Also keep releases that carry the value from coming back."),
]
EnvFile = Annotated[Path, typer.Argument(help="A file of NAME=value lines, or - for stdin.")]


def ps(
    project: Project = None, env: Env = PRODUCTION, server: Server = None, as_json: AsJson = False
) -> None:
    """List the running instances."""
    with in_words():
        target = Target(server, project, env)
        found = list(target.client.pages(f"{target.at}/instances"))
        if as_json:
            output.as_json(found)
            return
        rows = [
            (
                f"{output.plain(one['process'])}.{one['index'] + 1}",
                output.mark(one["state"]),
                output.megabytes(one["memory"]),
                str(one["restarts"]),
                one["id"],
            )
            for one in found
        ]
        output.table(("PROCESS", "STATE", "MEMORY", "RESTARTS", "ID"), rows)


def logs(
    follow: Follow = False,
    lines: Lines = 100,
    process: OfProcess = None,
    project: Project = None,
    env: Env = PRODUCTION,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Print what the app printed."""
    with in_words():
        target = Target(server, project, env)
        if not follow:
            page = target.client.get(f"{target.at}/logs", tail=lines, process=process)
            output.as_json(page["items"]) if as_json else _lines(page["items"])
            return
        only = {"process": process} if process else {}
        for sent in target.client.stream(f"{target.at}/logs", tail=str(lines), **only):
            if sent.kind == "end":
                return
            output.json_line(sent.data) if as_json else _lines([sent.data])


def scale(
    sizes: Sizes,
    project: Project = None,
    env: Env = PRODUCTION,
    wait: Wait = True,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Set how many instances of a process type run."""
    with in_words():
        counts = _counts(sizes)
        target = Target(server, project, env)
        made = target.client.put(f"{target.at}/scale", {"processes": counts})
        if made["deployment"] is None:
            typer.echo("Kept; it applies with the next deployment.")
            return
        finish(target.client, made["deployment"], wait=wait, as_json=as_json)


def limits(
    process: Annotated[str, typer.Argument(metavar="TYPE", help="As in web.")],
    memory: Annotated[int | None, typer.Option("--memory", help="Megabytes.", min=32)] = None,
    cpu: Annotated[float | None, typer.Option("--cpu", help="Processors.", min=0.05)] = None,
    pids: Annotated[
        int | None, typer.Option("--pids", help="Processes and threads.", min=8)
    ] = None,
    project: Project = None,
    env: Env = PRODUCTION,
    wait: Wait = True,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Set what one instance of a process type may use; without options its defaults are back."""
    with in_words():
        asked = {"memory_mb": memory, "cpu": cpu, "pids": pids}
        caps = {name: value for name, value in asked.items() if value is not None}
        target = Target(server, project, env)
        made = target.client.put(f"{target.at}/limits", {"processes": {process: caps}})
        if made["deployment"] is None:
            typer.echo("Kept; it applies with the next deployment.")
            return
        finish(target.client, made["deployment"], wait=wait, as_json=as_json)


def restart(
    project: Project = None,
    env: Env = PRODUCTION,
    wait: Wait = True,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Replace the running instances by new ones of the same release, without a gap."""
    with in_words():
        _act(Target(server, project, env), "restart", wait=wait, as_json=as_json)


def stop(
    project: Project = None,
    env: Env = PRODUCTION,
    wait: Wait = True,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Stop the app; its address says so until `autostack start`."""
    with in_words():
        _act(Target(server, project, env), "stop", wait=wait, as_json=as_json)


def start(
    project: Project = None,
    env: Env = PRODUCTION,
    wait: Wait = True,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Start the app again after `autostack stop`."""
    with in_words():
        _act(Target(server, project, env), "start", wait=wait, as_json=as_json)


env_commands = typer.Typer(no_args_is_help=True, help="Variables of an environment.")


@env_commands.command("list")
def env_list(
    project: Project = None, env: Env = PRODUCTION, server: Server = None, as_json: AsJson = False
) -> None:
    """List the names; values are write-only."""
    with in_words():
        target = Target(server, project, env)
        found = list(target.client.pages(target.variables))
        if as_json:
            output.as_json(found)
            return
        rows = [(output.plain(one["name"]), f"version {one['version']}") for one in found]
        output.table(("NAME", "VERSION"), rows)


@env_commands.command("set")
def env_set(
    names: Pairs, project: Project = None, env: Env = PRODUCTION, server: Server = None
) -> None:
    """Set variables. Values never stand on the command line, where every user could see them."""
    with in_words():
        if wrong := next((name for name in names if "=" in name), None):
            name = wrong.partition("=")[0]
            raise Usage(
                "Values do not belong on the command line: other users can see them there.",
                f"Run `autostack env set {name}` and type it, or pipe it in.",
            )
        target = Target(server, project, env)
        for name in names:
            target.client.put(f"{target.variables}/{quote(name, safe='')}", {"value": _value(name)})
        typer.echo("Saved. It applies with the next deployment.")


@env_commands.command("import")
def env_import(
    file: EnvFile, project: Project = None, env: Env = PRODUCTION, server: Server = None
) -> None:
    """Set all variables of a .env file."""
    with in_words():
        text = _text(file)
        target = Target(server, project, env)
        target.client.put(target.variables, {"dotenv": text})
        typer.echo("Saved. They apply with the next deployment.")


@env_commands.command("unset")
def env_unset(
    names: Names,
    revoke: Revoke = False,
    project: Project = None,
    env: Env = PRODUCTION,
    server: Server = None,
) -> None:
    """Remove variables."""
    with in_words():
        target = Target(server, project, env)
        ending = "?revoke=true" if revoke else ""
        for name in names:
            target.client.delete(f"{target.variables}/{quote(name, safe='')}{ending}")
        typer.echo("Removed. It applies with the next deployment.")


def _act(target: Target, verb: str, *, wait: bool, as_json: bool) -> None:
    asked = target.client.post(f"{target.at}/{verb}")
    finish(target.client, asked, wait=wait, as_json=as_json)


def _value(name: str) -> str:
    if sys.stdin.isatty():
        asked: str = typer.prompt(name, hide_input=True)
        return asked
    line = sys.stdin.readline()
    if not line:
        raise Usage(f"There is no value for {name}.", "Pipe one line a name.")
    return line.rstrip("\n")


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise Usage(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Usage(f"{file} is not UTF-8 text.") from None


def _counts(sizes: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for size in sizes:
        name, _, count = size.partition("=")
        if not name or not count.isdigit():
            raise Usage(f"{size!r} is not TYPE=COUNT.", "As in `autostack scale web=2`.")
        counts[name] = int(count)
    return counts


def _lines(items: list[Json]) -> None:
    for line in items:
        source = f"{output.clean(line['process'])}.{line['index'] + 1}"
        typer.echo(f"{line['at']}  {source}  {output.clean(line['text'])}")
