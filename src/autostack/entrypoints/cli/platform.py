"""The commands that run the platform on this machine; main.py registers them.

What they do is imported when they are called: it costs half a second, and most calls of
`autostack` are about something else.
"""

# ruff: noqa: PLC0415

import json
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from autostack.core.errors import AutostackError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from autostack.core.settings import Settings
    from autostack.entrypoints.local.parts import Part

FAILED = 1

Detach = Annotated[bool, typer.Option("--detach", "-d", help="Return once the platform is ready.")]
Apps = Annotated[bool, typer.Option("--apps", help="End the deployed apps and the edge too.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Print = Annotated[bool, typer.Option("--print", help="Print the unit instead of installing it.")]


def up(detach: Detach = False) -> None:
    """Start the platform on this machine, or what is missing of it."""
    from autostack.entrypoints.local import start

    with telling():
        start.up(settings(), detach=detach, say=_say)


def down(apps: Apps = False) -> None:
    """Stop the control plane; deployed apps go on serving unless --apps is given."""
    from autostack.entrypoints.local import stop

    with telling():
        stop.down(settings(), apps=apps, say=_say)


def status(as_json: AsJson = False) -> None:
    """Show each part of the platform. The exit code is 0 when all run and the API is ready."""
    from autostack.entrypoints.local import parts

    with telling():
        found = parts.look(settings())
        if as_json:
            _say(json.dumps(found.as_json(), indent=2))
        else:
            _say(f"{found.address}  ({'ready' if found.ready else 'not ready'}, {found.home})")
            for part in found.parts:
                _say(_row(part))
        if not found.up or not found.ready:
            raise typer.Exit(FAILED)


def doctor(as_json: AsJson = False) -> None:
    """Check what this machine offers, and say what to do about what is missing."""
    from autostack.entrypoints.local import doctor as examination

    with telling():
        findings = examination.examine(settings())
        if as_json:
            _say(json.dumps([examination.as_json(each) for each in findings], indent=2))
        else:
            for each in findings:
                _say(f"{each.verdict:<8} {each.name:<13} {each.detail}")
                if each.hint:
                    _say(f"{'':<22} {each.hint}")
        if any(each.verdict is examination.Verdict.PROBLEM for each in findings):
            raise typer.Exit(FAILED)


service_commands = typer.Typer(no_args_is_help=True, help="Run the platform as a system service.")


@service_commands.command("install")
def service_install(show: Print = False) -> None:
    """Install and start a systemd unit that keeps the platform running."""
    from autostack.entrypoints.local import service, words

    with telling():
        asked = settings()
        made = service.unit(asked, os.environ)
        if show:
            _say(made.text)
            return
        if service.install(made, asked):
            _say(f"Installed {made.path} and started it. `{made.look}` shows its output.")
        else:
            _say(f"Wrote {made.path}; what changed there counts from the service's next start on.")
        _say(words.welcome(asked))


@service_commands.command("uninstall")
def service_uninstall() -> None:
    """End the platform, apps included, and remove its unit; its data stays."""
    from autostack.entrypoints.local import service

    with telling():
        asked = settings()
        made = service.unit(asked, os.environ)
        if service.uninstall(made, asked):
            _say(f"Removed {made.path}. Data and apps are kept in {asked.home};")
            _say("`autostack up` runs them again, `autostack service install` as a service.")
        else:
            _say(f"There is no service: {made.path} does not exist.")


@contextmanager
def telling() -> Generator[None]:
    """A failure is two sentences and an exit code, not a traceback."""
    try:
        yield
    except AutostackError as error:
        sys.stderr.write(f"{error}\n{error.hint}\n" if error.hint else f"{error}\n")
        raise typer.Exit(FAILED) from None


def settings() -> "Settings":
    from pydantic import ValidationError

    from autostack.core.settings import Settings
    from autostack.entrypoints.local.errors import SettingsWrong

    try:
        return Settings()
    except ValidationError as error:
        raise SettingsWrong([_problem(each) for each in error.errors()]) from None
    except OSError as error:
        raise SettingsWrong([f"{error.filename} cannot be read"]) from None


def _problem(error: "ErrorDetails") -> str:
    """Which setting and why; never its value, which may be a secret."""
    name = "_".join(str(part) for part in error["loc"])
    return f"AUTOSTACK_{name.upper()}: {error['msg']}"


def _row(part: "Part") -> str:
    pid = str(part.pid or "-")
    memory = f"{part.memory / 1e6:.1f} MB" if part.memory is not None else "-"
    return f"{part.name:<11} {part.state:<9} {pid:>8} {_duration(part.uptime):>9} {memory:>10}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
