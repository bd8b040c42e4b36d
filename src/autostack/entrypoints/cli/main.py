"""The `autostack` command: every command, written out."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from autostack.entrypoints.cli import (
    access,
    account,
    admin,
    dashboard,
    deployments,
    disk,
    hook,
    platform,
    projects,
    running,
    runs,
    teams,
    tokens,
)
from autostack.entrypoints.cli.help import Sections

app = typer.Typer(
    name="autostack",
    cls=Sections,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A Git repository in, a working URL out.",
)


def _say_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - not for every other command

        typer.echo(f"autostack {version('autostack')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    pass


HERE = "This machine"
app.command(rich_help_panel=HERE)(platform.up)
app.command(rich_help_panel=HERE)(platform.down)
app.command(rich_help_panel=HERE)(platform.status)
app.command(rich_help_panel=HERE)(platform.doctor)
app.command("disk", rich_help_panel=HERE)(disk.disk)
app.add_typer(admin.commands, name="admin", rich_help_panel=HERE)
app.add_typer(dashboard.commands, name="dashboard", rich_help_panel=HERE)
app.add_typer(platform.service_commands, name="service", rich_help_panel=HERE)

ACCOUNT = "Account"
app.command(rich_help_panel=ACCOUNT)(account.register)
app.command(rich_help_panel=ACCOUNT)(account.login)
app.command(rich_help_panel=ACCOUNT)(account.logout)
app.add_typer(account.password_commands, name="password", rich_help_panel=ACCOUNT)
app.add_typer(account.totp_commands, name="totp", rich_help_panel=ACCOUNT)
app.add_typer(account.sessions_commands, name="sessions", rich_help_panel=ACCOUNT)
app.add_typer(tokens.commands, name="tokens", rich_help_panel=ACCOUNT)
app.add_typer(teams.commands, name="teams", rich_help_panel=ACCOUNT)

PROJECTS = "Projects"
app.command(rich_help_panel=PROJECTS)(projects.init)
app.command(rich_help_panel=PROJECTS)(projects.projects)
app.command(rich_help_panel=PROJECTS)(projects.plan)
app.command("open", rich_help_panel=PROJECTS)(projects.open_)
app.add_typer(access.credential_commands, name="credential", rich_help_panel=PROJECTS)
app.command("deploy-key", rich_help_panel=PROJECTS)(access.deploy_key)
app.command(rich_help_panel=PROJECTS)(teams.protect)
app.command(rich_help_panel=PROJECTS)(teams.unprotect)
app.command(rich_help_panel=PROJECTS)(projects.destroy)

DEPLOYMENTS = "Deployments"
app.command(rich_help_panel=DEPLOYMENTS)(deployments.deploy)
app.command(rich_help_panel=DEPLOYMENTS)(deployments.deployments)
app.command(rich_help_panel=DEPLOYMENTS)(deployments.cancel)
app.command(rich_help_panel=DEPLOYMENTS)(deployments.rollback)
app.add_typer(hook.commands, name="hook", rich_help_panel=DEPLOYMENTS)

RUNNING = "Running"
app.command(rich_help_panel=RUNNING)(running.ps)
app.command(rich_help_panel=RUNNING)(running.logs)
app.command(rich_help_panel=RUNNING, context_settings=runs.AS_GIVEN)(runs.run)
app.add_typer(runs.commands, name="runs", rich_help_panel=RUNNING)
app.add_typer(running.env_commands, name="env", rich_help_panel=RUNNING)
app.command(rich_help_panel=RUNNING)(running.scale)
app.command(rich_help_panel=RUNNING)(running.limits)
app.command(rich_help_panel=RUNNING)(running.restart)
app.command(rich_help_panel=RUNNING)(running.stop)
app.command(rich_help_panel=RUNNING)(running.start)


SPELLINGS = {"--wait=settled": "--settled", "--wait=success": "--wait"}
"""An option of the command line either has a value or has none; people write both."""


def spelled(arguments: Sequence[str]) -> list[str]:
    """What follows `--` belongs to another program."""
    own = arguments.index("--") if "--" in arguments else len(arguments)
    return [SPELLINGS.get(one, one) for one in arguments[:own]] + list(arguments[own:])


def run() -> None:
    app(args=spelled(sys.argv[1:]))


if __name__ == "__main__":
    run()
