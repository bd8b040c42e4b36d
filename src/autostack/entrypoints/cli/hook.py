"""Push hooks: a forge tells of a push, and the platform deploys it."""

from typing import Annotated

import typer

from autostack.entrypoints.cli import output
from autostack.entrypoints.cli.client import Json
from autostack.entrypoints.cli.options import (
    PRODUCTION,
    AsJson,
    Env,
    Project,
    Server,
    Target,
    in_words,
)

Provider = Annotated[str, typer.Argument(help="github, gitlab or gitea.")]
Which = Annotated[str, typer.Argument(help="Id, from `autostack hook list`.")]

commands = typer.Typer(no_args_is_help=True, help="Pushes that deploy.")


@commands.command("create")
def create(
    provider: Provider,
    project: Project = None,
    env: Env = PRODUCTION,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Make the address and the secret to give the forge, and print both this once."""
    with in_words():
        target = Target(server, project)
        made = target.client.post(_hooks(target), {"provider": provider, "environment": env})
        if as_json:
            output.as_json(made)
            return
        typer.echo(f"URL     {made['url']}")
        typer.echo(f"Secret  {made['secret']}")
        typer.echo(_where(provider), err=True)
        if made["note"]:
            typer.echo(made["note"], err=True)


@commands.command("list")
def list_(project: Project = None, server: Server = None, as_json: AsJson = False) -> None:
    """Show the hooks of a project."""
    with in_words():
        target = Target(server, project)
        found = target.client.get(_hooks(target))["items"]
        if as_json:
            output.as_json(found)
            return
        rows = [
            (one["id"], one["provider"], one["environment"], one["created_at"][:16])
            for one in found
        ]
        output.table(("ID", "FORGE", "ENVIRONMENT", "CREATED"), rows)


@commands.command("deliveries")
def deliveries(
    hook_id: Which, project: Project = None, server: Server = None, as_json: AsJson = False
) -> None:
    """Show what the forge sent, and what was decided about it."""
    with in_words():
        target = Target(server, project)
        found = list(target.client.pages(f"{_hooks(target)}/{hook_id}/deliveries"))
        if as_json:
            output.as_json(found)
            return
        rows = [(one["at"][:19], one["outcome"], output.plain(one["decision"])) for one in found]
        output.table(("AT", "OUTCOME", "DECISION"), rows)


@commands.command("rotate")
def rotate(
    hook_id: Which, project: Project = None, server: Server = None, as_json: AsJson = False
) -> None:
    """Make a new secret and print it this once; the old one ends at once."""
    with in_words():
        target = Target(server, project)
        made = target.client.post(f"{_hooks(target)}/{hook_id}/rotate")
        output.as_json(made) if as_json else typer.echo(made["secret"])


@commands.command("delete")
def delete(hook_id: Which, project: Project = None, server: Server = None) -> None:
    """Remove a hook: its address answers nobody any more."""
    with in_words():
        target = Target(server, project)
        typer.echo(target.client.delete(f"{_hooks(target)}/{hook_id}")["detail"])


@commands.command("pause")
def pause(project: Project = None, env: Env = PRODUCTION, server: Server = None) -> None:
    """Let pushes deploy nothing until `autostack hook resume`."""
    with in_words():
        _set(Target(server, project, env), auto_deploy=False)
        typer.echo(f"Pushes deploy nothing to {env} now. `autostack hook resume` ends that.")


@commands.command("resume")
def resume(project: Project = None, env: Env = PRODUCTION, server: Server = None) -> None:
    """Let pushes deploy again, from the next one on."""
    with in_words():
        _set(Target(server, project, env), auto_deploy=True)
        typer.echo(f"The next push deploys to {env}. `autostack deploy` brings out what is there.")


def _hooks(target: Target) -> str:
    return f"/projects/{target.project['id']}/hooks"


def _set(target: Target, *, auto_deploy: bool) -> Json:
    name = target.environment["name"]
    path = f"/projects/{target.project['id']}/environments/{name}"
    return target.client.patch(path, {"auto_deploy": auto_deploy})


def _where(provider: str) -> str:
    place = {
        "github": "In the repository: Settings, Webhooks, Add webhook; just the push event.",
        "gitlab": "In the project: Settings, Webhooks; as signing token, or as secret token where "
        "there is none; trigger: push events.",
        "gitea": "In the repository: Settings, Webhooks, Gitea; push events.",
    }
    return f"{place.get(provider, '')} Both are shown this once."
