"""What opens a private repository: a token over https, or a deploy key over ssh."""

import sys
from typing import Annotated

import typer

from autostack.entrypoints.cli import output
from autostack.entrypoints.cli.errors import Usage
from autostack.entrypoints.cli.options import AsJson, Project, Server, Target, in_words

Username = Annotated[
    str, typer.Option("--username", "-u", help="User name beside the token, if the forge asks.")
]
New = Annotated[bool, typer.Option("--new", help="Make another key; the old one opens no more.")]

credential_commands = typer.Typer(no_args_is_help=True, help="Token of a private repository.")


@credential_commands.command("set")
def credential_set(project: Project = None, username: Username = "", server: Server = None) -> None:
    """Keep a token that may read the repository. It is typed or piped in, and never shown."""
    with in_words():
        target = Target(server, project)
        body = {"username": username, "token": _token()}
        target.client.put(f"/projects/{target.project['id']}/credential", body)
        typer.echo("Saved. It is used from the next deployment on.")


@credential_commands.command("remove")
def credential_remove(project: Project = None, server: Server = None) -> None:
    """Forget the token or deploy key."""
    with in_words():
        target = Target(server, project)
        target.client.delete(f"/projects/{target.project['id']}/credential")
        typer.echo("Removed.")


def deploy_key(
    project: Project = None, new: New = False, server: Server = None, as_json: AsJson = False
) -> None:
    """Print the public key that opens the repository over ssh; made when first asked for."""
    with in_words():
        target = Target(server, project)
        key = None if new else target.project["deploy_key"]
        if key is None:
            key = target.client.post(f"/projects/{target.project['id']}/deploy-key")["deploy_key"]
        output.as_json({"deploy_key": key}) if as_json else typer.echo(key)
        typer.echo("Add it to the repository as a deploy key that may only read.", err=True)


def _token() -> str:
    if sys.stdin.isatty():
        asked: str = typer.prompt("Token", hide_input=True)
        return asked.strip()
    token = sys.stdin.readline().strip()
    if not token:
        raise Usage("There is no token.", "Pipe it in, or run this in a terminal and type it.")
    return token
