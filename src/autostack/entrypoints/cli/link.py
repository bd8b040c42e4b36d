"""Which project a directory belongs to: `.autostack.json` in it, else its Git remote."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from autostack.entrypoints.cli import store
from autostack.entrypoints.cli.client import Client, Json
from autostack.entrypoints.cli.errors import Missing, Usage

NAME = ".autostack.json"


def read(start: Path | None = None) -> Mapping[str, str]:
    """The nearest link file upwards; empty when there is none."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        file = folder / NAME
        if file.is_file():
            try:
                return {key: str(value) for key, value in json.loads(file.read_text()).items()}
            except (ValueError, AttributeError):
                raise Usage(
                    f"{file} is not valid.", "Delete it and run `autostack init`."
                ) from None
    return {}


def write(project: str, server: str) -> Path:
    file = Path.cwd() / NAME
    file.write_text(json.dumps({"project": project, "server": server}, indent=2) + "\n")
    return file


def server() -> str:
    """Where the linked project lives. A stranger's repository may hold this file, so it counts
    only for a server this user signed in to, and never gets a token from the environment.
    """
    named = read().get("server", "").rstrip("/")
    known = named in store.servers() and not os.environ.get("AUTOSTACK_TOKEN")
    return named if known else ""


def git(*args: str) -> str:
    """What git says of the directory we are in; empty when it says nothing."""
    try:
        done = subprocess.run(
            ["git", *args],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def remote() -> str:
    return git("remote", "get-url", "origin")


def find(client: Client, named: str | None) -> Json:
    """The project that was named (name, slug or id), linked, or whose repository this is."""
    wanted = named or read().get("project")
    here = "" if wanted else remote()
    for project in client.pages("/projects"):
        if wanted in (project["id"], project["name"], project.get("slug")):
            return project
        if here and _same(project["repo_url"], here):
            return project
    if wanted:
        raise Missing(f"There is no project {wanted!r}.", "`autostack projects` lists yours.")
    raise Usage(
        "Which project? This directory is not linked to one.",
        "Name it with --project, or run `autostack init` here.",
    )


def environment(client: Client, project: Json, name: str) -> Json:
    known = list(client.pages(f"/projects/{project['id']}/environments"))
    for found in known:
        if found["name"] == name:
            return found
    names = ", ".join(one["name"] for one in known)
    raise Missing(f"{project['name']} has no environment {name!r}.", f"It has: {names}.")


def _same(one: str, other: str) -> bool:
    return one.removesuffix("/").removesuffix(".git") == other.removesuffix("/").removesuffix(
        ".git"
    )
