"""Deployments: ask for one, follow it, cancel it, bring an earlier one back."""

from typing import Annotated

import typer

from autostack.entrypoints.cli import follow, output
from autostack.entrypoints.cli.client import Client, Json
from autostack.entrypoints.cli.errors import CliError, Missing
from autostack.entrypoints.cli.options import (
    PRODUCTION,
    AsJson,
    Branch,
    Env,
    Project,
    Server,
    Target,
    in_words,
)

Wait = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Follow the log and return when it is over.")
]
Which = Annotated[str | None, typer.Argument(help="Deployment id; default: the newest one.")]
To = Annotated[
    int | None, typer.Option("--to", help="Release number; default: the one before this one.")
]
Count = Annotated[int, typer.Option("--count", "-c", help="How many.", min=1, max=100)]


def deploy(
    project: Project = None,
    env: Env = PRODUCTION,
    branch: Branch = None,
    wait: Wait = True,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Deploy what is on the repository's branch. Exit code 0 says it serves."""
    with in_words():
        target = Target(server, project, env)
        body = {"project_id": target.project["id"], "environment": env, "branch": branch}
        asked = target.client.post("/deployments", {k: v for k, v in body.items() if v})
        finish(target.client, asked, wait=wait, as_json=as_json)


def finish(client: Client, asked: Json, *, wait: bool, as_json: bool) -> None:
    """What all commands do that made a deployment."""
    if not wait:
        output.as_json(asked) if as_json else typer.echo(f"Queued as {asked['id']}.")
        return
    if as_json:
        done = follow.wait(client, asked)
        output.as_json(done)
        if done["status"] != "success":
            raise typer.Exit(CliError.exit_code)
        return
    follow.tell(follow.follow(client, asked))


def deployments(
    project: Project = None, count: Count = 20, server: Server = None, as_json: AsJson = False
) -> None:
    """List the project's deployments, newest first."""
    with in_words():
        target = Target(server, project)
        page = target.client.get("/deployments", project_id=target.project["id"], limit=count)
        found = page["items"]
        if as_json:
            output.as_json(found)
            return
        rows = [
            (
                f"#{one['number']}",
                output.mark(one["status"]),
                one["environment"],
                (one["commit_sha"] or "")[:8],
                output.plain((one["commit_message"] or "").splitlines()[0][:60])
                if one["commit_message"]
                else "",
                one["id"],
            )
            for one in found
        ]
        output.table(("NO", "STATUS", "ENVIRONMENT", "COMMIT", "MESSAGE", "ID"), rows)


def cancel(which: Which = None, project: Project = None, server: Server = None) -> None:
    """Cancel a deployment that has not switched yet."""
    with in_words():
        target = Target(server, project)
        found = which or _newest(target)["id"]
        target.client.post(f"/deployments/{found}/cancel")
        typer.echo(f"Asked to cancel {found}.")


def rollback(
    to: To = None,
    project: Project = None,
    env: Env = PRODUCTION,
    wait: Wait = True,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Bring an earlier release back, with the build and the configuration it had."""
    with in_words():
        target = Target(server, project, env)
        body = {} if to is None else {"release_id": _release(target, to)}
        asked = target.client.post(f"{target.at}/rollback", body)
        finish(target.client, asked, wait=wait, as_json=as_json)


def _newest(target: Target) -> Json:
    items = target.client.get("/deployments", project_id=target.project["id"], limit=1)["items"]
    if not items:
        raise Missing("This project has no deployments yet.", "Run `autostack deploy`.")
    return items[0]


def _release(target: Target, number: int) -> str:
    for release in target.client.pages(f"{target.at}/releases"):
        if release["number"] == number:
            return str(release["id"])
    raise Missing(f"There is no release {number}.", "The server's API lists them.")
