"""Tokens for programs, as a CI that deploys."""

from typing import Annotated

import typer

from autostack.entrypoints.cli import output
from autostack.entrypoints.cli.options import AsJson, Project, Server, Target, in_words

Name = Annotated[str, typer.Argument(help="What it is for, as `CI of the shop`.")]
Which = Annotated[str, typer.Argument(help="Id, from `autostack tokens list`.")]
Scope = Annotated[str, typer.Option("--scope", help="read, deploy or admin.")]
Days = Annotated[int, typer.Option("--days", help="How long it lives; 366 at most.")]

commands = typer.Typer(no_args_is_help=True, help="Tokens for programs (AUTOSTACK_TOKEN).")


@commands.command("create")
def create(
    name: Name,
    scope: Scope = "deploy",
    project: Project = None,
    days: Days = 90,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it this once; with --project it reaches that project alone."""
    with in_words():
        target = Target(server, project)
        body = {"name": name, "scope": scope, "days": days}
        if project is not None:
            body["project_id"] = target.project["id"]
        made = target.client.post("/auth/tokens", body)
        if as_json:
            output.as_json(made)
            return
        typer.echo(made["token"])
        typer.echo("It is shown this once. Programs take it from AUTOSTACK_TOKEN.", err=True)


@commands.command("list")
def list_(server: Server = None, as_json: AsJson = False) -> None:
    """Show your tokens and when each was used last."""
    with in_words():
        found = Target(server).client.get("/auth/tokens")["items"]
        if as_json:
            output.as_json(found)
            return
        rows = [
            (
                one["id"],
                output.plain(one["name"]),
                f"{one['hint']}…",
                one["scope"],
                one["expires_at"][:10],
                f"{(one['used_at'] or 'never')[:16]} {one['used_from']}".strip(),
            )
            for one in found
        ]
        output.table(("ID", "NAME", "TOKEN", "SCOPE", "EXPIRES", "USED"), rows)


@commands.command("revoke")
def revoke(token_id: Which, server: Server = None) -> None:
    """End a token at once."""
    with in_words():
        typer.echo(Target(server).client.delete(f"/auth/tokens/{token_id}")["detail"])
