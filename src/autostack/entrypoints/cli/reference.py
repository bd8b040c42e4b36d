"""Writes docs/cli.md from the commands themselves.

Run as `python -m autostack.entrypoints.cli.reference` where docs/ is.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from autostack.entrypoints.cli.errors import (
    CliError,
    Interrupted,
    Missing,
    NotSignedIn,
    Unreachable,
    Usage,
)
from autostack.entrypoints.cli.main import app

FILE = Path("docs/cli.md")

CODES: tuple[tuple[int, str], ...] = (
    (0, "It worked; `deploy --wait` says so only when the new release serves."),
    (CliError.exit_code, "It did not: a failed deployment, a refused request."),
    (Usage.exit_code, "The command line makes no sense here."),
    (NotSignedIn.exit_code, "Not signed in, or the session has ended."),
    (Unreachable.exit_code, "The server does not answer."),
    (Missing.exit_code, "It does not exist, or it is not yours."),
    (Interrupted.exit_code, "Ctrl-C. A deployment that was followed goes on."),
)

INTRO = """\
# The `autostack` command

Generated from the commands; change them and run `python -m autostack.entrypoints.cli.reference`.

## Which server, which project

The server is `--server`, else `AUTOSTACK_SERVER`, else the one this directory is linked to (if you
are signed in there), else the one you signed in to last, else this machine's.

The project is `--project` (name or id), else the one in the nearest `.autostack.json` upwards, else
the one whose repository is this directory's `origin`. `autostack init` writes `.autostack.json`; it
holds no secret and may be committed.

`autostack login` asks for the password, or takes it from `AUTOSTACK_PASSWORD`; it is never part of
the command line. Tokens are kept in `$XDG_CONFIG_HOME/autostack/config.json`, readable by you
alone, for as many servers as you like. Programs may set `AUTOSTACK_TOKEN` instead.

## For programs

`--json` prints the API's own objects on stdout and nothing else; `logs -f --json` prints one object
a line. Errors are two lines on stderr: what happened, and what to do.

| code | meaning |
|---|---|
"""


def text() -> str:
    """The whole page."""
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in CODES)
    root: Any = typer.main.get_command(app)
    return f"{INTRO}{codes}\n" + "\n".join(_sections(root)) + "\n"


def _sections(root: Any) -> Iterator[str]:  # noqa: ANN401 - typer's own copy of click
    headings: dict[str, list[tuple[str, Any]]] = {}
    for name, command in root.commands.items():
        headings.setdefault(command.rich_help_panel, []).append((name, command))
    for heading, commands in headings.items():
        yield f"## {heading}\n"
        for name, command in commands:
            for words, one in _leaves(f"autostack {name}", command):
                yield _described(words, one)


def _leaves(words: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
        return
    for name, one in inner.items():
        yield from _leaves(f"{words} {name}", one)


def _described(words: str, command: Any) -> str:  # noqa: ANN401
    rows = [row for parameter in command.params if (row := _row(parameter))]
    usage = " ".join([words, *(_placeholder(one) for one in command.params if _is_argument(one))])
    table = "| | |\n|---|---|\n" + "".join(rows) if rows else ""
    told = inspect.cleandoc(command.help or "")
    return f"### `{usage}`\n\n{told}\n\n{table}"


def _row(parameter: Any) -> str:  # noqa: ANN401
    if parameter.name == "help" or not getattr(parameter, "help", None):
        return ""
    if _is_argument(parameter):
        names = _placeholder(parameter)
    else:
        names = ", ".join([*parameter.opts, *parameter.secondary_opts])
    return f"| `{names}` | {_cell(parameter.help)}{_default(parameter)} |\n"


def _default(parameter: Any) -> str:  # noqa: ANN401
    value = parameter.default
    plain = isinstance(value, str | int) and not isinstance(value, bool)
    return f" Default: `{value}`." if plain else ""


def _is_argument(parameter: Any) -> bool:  # noqa: ANN401
    return str(parameter.param_type_name) == "argument"


def _placeholder(parameter: Any) -> str:  # noqa: ANN401
    name = str(parameter.metavar or parameter.name.upper())
    return name if parameter.required else f"[{name}]"


def _cell(told: str) -> str:
    return re.sub(r"\s+", " ", told).replace("|", "\\|")


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"Wrote {FILE}.\n")
