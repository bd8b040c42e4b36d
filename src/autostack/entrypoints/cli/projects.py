"""Projects: make one, list them, look at a plan, remove one."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from autostack.entrypoints.cli import link, output, teams
from autostack.entrypoints.cli.client import Json
from autostack.entrypoints.cli.errors import CliError, Usage
from autostack.entrypoints.cli.options import (
    PRODUCTION,
    AsJson,
    Branch,
    Env,
    Project,
    Server,
    Target,
    Yes,
    in_words,
)

Repo = Annotated[
    str | None, typer.Argument(help="Repository address; default: this directory's `origin`.")
]
Name = Annotated[str | None, typer.Option("--name", "-n", help="Project name.")]
Team = Annotated[
    str | None, typer.Option("--team", help="Team that owns it; default: your personal one.")
]
Root = Annotated[str | None, typer.Option("--root", help="Directory of the app in the repository.")]


def init(
    repo: Repo = None,
    name: Name = None,
    team: Team = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Make a project from a repository and link this directory to it."""
    with in_words():
        address = _repository(repo)
        client = Target(server).client
        body = {"name": name or _name(address), "repo_url": address}
        if team is not None:
            body["team_id"] = teams.named(client, team)
        made = client.post("/projects", body)
        file = link.write(made["id"], client.server)
        if as_json:
            output.as_json(made)
        else:
            typer.echo(f"Made {made['name']} and linked this directory to it ({file.name}).")
            typer.echo("Deploy it with `autostack deploy`.")


def projects(server: Server = None, as_json: AsJson = False) -> None:
    """List your projects."""
    with in_words():
        found = list(Target(server).client.pages("/projects"))
        if as_json:
            output.as_json(found)
        elif not found:
            typer.echo("No projects yet. Make one with `autostack init`.")
        else:
            output.table(
                ("NAME", "REPOSITORY", "ID"),
                [(output.plain(p["name"]), output.plain(p["repo_url"]), p["id"]) for p in found],
            )


def plan(
    repo: Repo = None,
    branch: Branch = None,
    root: Root = None,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Show what a deployment of a repository would do, and which line proves it."""
    with in_words():
        asked = {"repo_url": _repository(repo), "branch": branch, "root": root}
        body = {key: value for key, value in asked.items() if value}
        made = Target(server).client.post("/projects/plan", body)
        if as_json:
            output.as_json(made)
        else:
            _show(made)


def open_(project: Project = None, env: Env = PRODUCTION, server: Server = None) -> None:
    """Open the app in a browser, and print its address."""
    with in_words():
        target = Target(server, project, env)
        environment = target.environment["id"]
        found = target.client.pages("/deployments", project_id=target.project["id"])
        live = next(
            (d for d in found if d["environment_id"] == environment and d["status"] == "success"),
            None,
        )
        if live is None:
            raise CliError("Nothing has been deployed there yet.", "Run `autostack deploy`.")
        address = f"http://{live['url']}/"
        typer.echo(address)
        webbrowser.open(address)


def destroy(project: Project = None, yes: Yes = False, server: Server = None) -> None:
    """Remove a project: its instances, releases, variables and addresses."""
    with in_words():
        target = Target(server, project)
        name = target.project["name"]
        if not yes and typer.prompt(f"Type {name!r} to remove it for good") != name:
            raise Usage("The name does not match; nothing was removed.")
        target.client.delete(f"/projects/{target.project['id']}")
        typer.echo(f"Removed {name}.")


def _repository(given: str | None) -> str:
    address = given or link.remote()
    if not address:
        raise Usage("Which repository? This directory has no Git remote.", "Name its address.")
    return address


def _name(address: str) -> str:
    return Path(address.rstrip("/").replace(":", "/")).name.removesuffix(".git")


def _show(made: Json) -> None:
    screen = output.console()
    for one in made["decisions"]:
        proof = _proof(one.get("evidence"))
        why = f"  [dim]{output.plain(one['why'])}[/]" if one.get("why") else ""
        screen.print(
            f"[bold]{output.plain(one['subject'])}[/]  {output.plain(one['value'])}{why}{proof}"
        )
    for process in made["processes"]:
        command = output.plain(" ".join(process["command"]))
        screen.print(f"[bold]{output.plain(process['name'])}[/]  {command}")
    for variable in made["missing"]:
        need = "needs" if variable["required"] else "may use"
        name = output.plain(variable["name"])
        screen.print(f"[yellow]{need}[/] {name}{_proof(variable['evidence'])}")
    for warning in made["warnings"]:
        screen.print(f"[yellow]warning[/] {output.plain(warning)}")


def _proof(evidence: Json) -> str:
    if not evidence:
        return ""
    line = f":{evidence['line']}" if evidence["line"] else ""
    return f"  [dim]{output.plain(evidence['file'])}{line}[/]"
