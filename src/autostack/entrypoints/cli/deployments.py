"""Deployments: ask for one, follow it, cancel it, bring an earlier one back."""

import os
from pathlib import Path
from typing import Annotated

import typer

from autostack.entrypoints.cli import follow, output, pack
from autostack.entrypoints.cli.client import Client, Json
from autostack.entrypoints.cli.errors import CliError, Missing, Usage
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
Pause = Annotated[
    bool,
    typer.Option(
        "--pause-auto-deploy", help="Let pushes deploy nothing until `autostack hook resume`."
    ),
]
Settled = Annotated[
    bool,
    typer.Option(
        "--settled", help="Wait for the verdict of the watch too. Also written --wait=settled."
    ),
]
Directory = Annotated[
    Path | None,
    typer.Argument(
        exists=True, file_okay=False, help="Send what is committed there instead, as in `.`."
    ),
]
Dirty = Annotated[
    bool, typer.Option("--dirty", help="Send the files as they are, committed or not.")
]
Which = Annotated[str | None, typer.Argument(help="Deployment id; default: the newest one.")]
To = Annotated[
    int | None, typer.Option("--to", help="Release number; default: the one before this one.")
]
Count = Annotated[int, typer.Option("--count", "-c", help="How many.", min=1, max=100)]


def deploy(
    directory: Directory = None,
    project: Project = None,
    env: Env = PRODUCTION,
    branch: Branch = None,
    dirty: Dirty = False,
    wait: Wait = True,
    settled: Settled = False,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Deploy the repository's branch, or a directory of yours. Exit code 0 says it serves."""
    with in_words():
        folder = _folder(directory, dirty=dirty, branch=branch)
        target = Target(server, project, env)
        body = {"project_id": target.project["id"], "environment": env, "branch": branch}
        if folder is not None:
            body["upload"] = _sent(target, folder, dirty=dirty)
        asked = target.client.post("/deployments", {k: v for k, v in body.items() if v})
        finish(target.client, asked, wait=wait, as_json=as_json, settled=settled)


def _folder(directory: Path | None, *, dirty: bool, branch: str | None) -> Path | None:
    """The directory to send, which is also the one whose project is meant; None sends nothing."""
    if directory is None and not dirty:
        return None
    if branch is not None:
        raise Usage("A directory has no branch.", "Give a directory or --branch, not both.")
    if directory is not None:
        os.chdir(directory)
    return Path.cwd()


def _sent(target: Target, folder: Path, *, dirty: bool) -> str:
    """Names what the server got."""
    changed = 0 if dirty else pack.not_committed(folder)
    if changed:
        what = "1 file is" if changed == 1 else f"{changed} files are"
        typer.echo(f"{what} changed or new and not committed: not sent without --dirty.", err=True)
    with pack.as_it_is(folder) if dirty else pack.committed(folder) as archive:
        answer = target.client.upload(f"/projects/{target.project['id']}/uploads", archive)
        typer.echo(f"Sent {archive.seek(0, os.SEEK_END) / 1000:,.0f} kB.", err=True)
    return str(answer["upload"])


def finish(
    client: Client, asked: Json, *, wait: bool, as_json: bool, settled: bool = False
) -> None:
    """What all commands do that made a deployment."""
    if not wait and not settled:
        output.as_json(asked) if as_json else typer.echo(f"Queued as {asked['id']}.")
        return
    if as_json:
        done = follow.wait(client, asked, settled=settled)
        output.as_json(done)
        if done["status"] != "success":
            raise typer.Exit(CliError.exit_code)
        return
    follow.tell(follow.follow(client, asked, settled=settled))


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
                output.mark(one["status"]) + _place(one),
                one["environment"],
                "upload" if one["upload"] else (one["commit_sha"] or "")[:8],
                output.plain((one["commit_message"] or "").splitlines()[0][:60])
                if one["commit_message"]
                else "",
                one["id"],
            )
            for one in found
        ]
        output.table(("NO", "STATUS", "ENVIRONMENT", "COMMIT", "MESSAGE", "ID"), rows)


def _place(deployment: Json) -> str:
    """In the line of those that wait; an older server does not say."""
    found = deployment.get("queue")
    return f" ({found['position']} in line)" if found else ""


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
    settled: Settled = False,
    pause: Pause = False,
    server: Server = None,
    as_json: AsJson = False,
) -> None:
    """Bring an earlier release back, with the build and the configuration it had."""
    with in_words():
        target = Target(server, project, env)
        body: dict[str, object] = {"pause_auto_deploy": pause}
        if to is not None:
            body["release_id"] = _release(target, to)
        asked = target.client.post(f"{target.at}/rollback", body)
        finish(target.client, asked, wait=wait, as_json=as_json, settled=settled)


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
