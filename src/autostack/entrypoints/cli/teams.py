"""Teams: people and programs that share projects, each in a role."""

import os
from typing import Annotated

import typer

from autostack.entrypoints.cli import output
from autostack.entrypoints.cli.client import Client, Json
from autostack.entrypoints.cli.errors import Missing
from autostack.entrypoints.cli.options import AsJson, Env, Project, Server, Target, in_words

Which = Annotated[str, typer.Argument(metavar="TEAM", help="Name or id.")]
Name = Annotated[str, typer.Argument(help="Name.")]
Who = Annotated[str, typer.Argument(help="E-mail address, a service account's name, or an id.")]
Email = Annotated[str, typer.Argument(help="E-mail address.")]
Role = Annotated[str, typer.Option("--role", help="viewer, developer, admin or owner.")]
NewRole = Annotated[str, typer.Argument(help="viewer, developer, admin or owner.")]
Scope = Annotated[str, typer.Option("--scope", help="read, deploy or admin.")]
Days = Annotated[int, typer.Option("--days", help="How long it lives; 366 at most.")]

commands = typer.Typer(no_args_is_help=True, help="Teams: people and programs that share projects.")


@commands.command("list")
def list_(server: Server = None, as_json: AsJson = False) -> None:
    """List your teams, and what you are in each."""
    with in_words():
        found = Target(server).client.get("/teams")["items"]
        if as_json:
            output.as_json(found)
            return
        rows = [(one["id"], output.plain(one["name"]), one["role"]) for one in found]
        output.table(("ID", "NAME", "YOU ARE"), rows)


@commands.command("create")
def create(name: Name, server: Server = None, as_json: AsJson = False) -> None:
    """Make a team; you own it."""
    with in_words():
        made = Target(server).client.post("/teams", {"name": name})
        if as_json:
            output.as_json(made)
        else:
            typer.echo(
                f"Made {output.clean(made['name'])}. Ask people in: `autostack teams invite`."
            )


@commands.command("members")
def members(team: Which, server: Server = None, as_json: AsJson = False) -> None:
    """List who is in a team, and as what."""
    with in_words():
        client = Target(server).client
        found = client.get(f"{_path(client, team)}/members")["items"]
        if as_json:
            output.as_json(found)
            return
        rows = [
            (
                one["user_id"],
                output.plain(one["email"]),
                one["role"],
                "service account" if one["service"] else "",
            )
            for one in found
        ]
        output.table(("ID", "WHO", "ROLE", ""), rows)


@commands.command("invite")
def invite(
    team: Which,
    email: Email,
    role: Role = "developer",
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Ask somebody in, and print the link that accepts it, this once."""
    with in_words():
        client = Target(server).client
        body = {"email": email, "role": role}
        made = client.post(f"{_path(client, team)}/invitations", body)
        if as_json:
            output.as_json(made)
            return
        typer.echo(made["link"])
        sent = "A letter goes to the address too." if made["mailed"] else "Hand it on yourself."
        typer.echo(f"It is good once, for that address, for seven days. {sent}", err=True)


@commands.command("accept")
def accept(server: Server = None) -> None:
    """Accept an invitation. Its code is asked for, or taken from AUTOSTACK_INVITATION."""
    with in_words():
        client = Target(server).client
        made = client.post("/invitations/accept", {"token": invitation()})
        typer.echo(f"You are {made['role']} of {output.clean(made['name'])}.")


@commands.command("role")
def role_(team: Which, who: Who, role: NewRole, server: Server = None) -> None:
    """Give a member another role."""
    with in_words():
        client = Target(server).client
        made = client.patch(_member(client, team, who), {"role": role})
        typer.echo(f"{output.clean(made['email'])} is {made['role']} now.")


@commands.command("remove")
def remove(team: Which, who: Who, server: Server = None) -> None:
    """End a membership; a service account goes with its tokens."""
    with in_words():
        client = Target(server).client
        typer.echo(client.delete(_member(client, team, who))["detail"])


@commands.command("leave")
def leave(team: Which, server: Server = None) -> None:
    """Leave a team. Its last owner stays."""
    with in_words():
        client = Target(server).client
        typer.echo(client.post(f"{_path(client, team)}/leave")["detail"])


@commands.command("delete")
def delete(team: Which, server: Server = None) -> None:
    """Delete a team that has no projects."""
    with in_words():
        client = Target(server).client
        typer.echo(client.delete(_path(client, team))["detail"])


@commands.command("service")
def service(
    team: Which,
    name: Name,
    role: Role = "developer",
    scope: Scope = "deploy",
    days: Days = 90,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Make a service account, if there is none of this name, and print a new token of it."""
    with in_words():
        client = Target(server).client
        path = _path(client, team)
        account = _found(client, path, name) or client.post(
            f"{path}/service-accounts", {"name": name, "role": role}
        )
        body = {"name": name, "scope": scope, "days": days}
        made = client.post(f"{path}/service-accounts/{account['user_id']}/tokens", body)
        if as_json:
            output.as_json(made)
            return
        typer.echo(made["token"])
        typer.echo("It is shown this once. Programs take it from AUTOSTACK_TOKEN.", err=True)


@commands.command("move")
def move(team: Which, project: Project = None, server: Server = None) -> None:
    """Give a project to a team; it runs on as it does."""
    with in_words():
        target = Target(server, project)
        found = _team(target.client, team)
        path = f"/projects/{target.project['id']}/move"
        made = target.client.post(path, {"team_id": found["id"]})
        typer.echo(f"{output.clean(made['name'])} belongs to {output.clean(found['name'])} now.")


def protect(project: Project = None, env: Env = "production", server: Server = None) -> None:
    """Let only admins of the team act on an environment."""
    _protect(project, env, server, protected=True)


def unprotect(project: Project = None, env: Env = "production", server: Server = None) -> None:
    """Let developers of the team act on an environment too."""
    _protect(project, env, server, protected=False)


def _protect(project: str | None, env: str, server: str | None, *, protected: bool) -> None:
    with in_words():
        target = Target(server, project, env)
        name = target.environment["name"]
        path = f"/projects/{target.project['id']}/environments/{name}"
        target.client.patch(path, {"protected": protected})
        who = "admins" if protected else "developers"
        typer.echo(f"{name} is for {who} of the team.")


def invitation() -> str:
    """The code of an invitation, also out of its whole link."""
    given: str = os.environ.get("AUTOSTACK_INVITATION") or typer.prompt("Code or link")
    return given.strip().rpartition("#token=")[2]


def named(client: Client, wanted: str) -> str:
    """The id of a team by its name or id."""
    return str(_team(client, wanted)["id"])


def _team(client: Client, wanted: str) -> Json:
    for one in client.get("/teams")["items"]:
        if wanted in (one["id"], one["name"]):
            return one
    raise Missing(f"You are in no team {wanted!r}.", "`autostack teams list` lists yours.")


def _path(client: Client, wanted: str) -> str:
    return f"/teams/{_team(client, wanted)['id']}"


def _found(client: Client, path: str, who: str) -> Json | None:
    found = client.get(f"{path}/members")["items"]
    return next((one for one in found if who in (one["user_id"], one["email"])), None)


def _member(client: Client, team: str, who: str) -> str:
    path = _path(client, team)
    found = _found(client, path, who)
    if found is None:
        raise Missing(f"{who!r} is not in this team.", "`autostack teams members` lists them.")
    return f"{path}/members/{found['user_id']}"
