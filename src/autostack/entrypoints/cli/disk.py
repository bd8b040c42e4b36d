"""What holds the server's disk."""

import typer

from autostack.core.space import words
from autostack.entrypoints.cli import output
from autostack.entrypoints.cli.client import Json
from autostack.entrypoints.cli.options import AsJson, Project, Server, Target, in_words

PARTS = ("releases", "caches", "logs", "images", "uploads", "mirrors")


def disk(project: Project = None, server: Server = None, as_json: AsJson = False) -> None:
    """Show how full the server's disk is and what fills it, or what one project holds."""
    with in_words():
        target = Target(server, project)
        if project is None:
            found = target.client.get("/disk")
            shown, rows = _server(found), found["projects"]
        else:
            found = target.client.get(f"/projects/{target.project['id']}/disk")
            shown, rows = [], [found]
        if as_json:
            output.as_json(found)
            return
        for line in shown:
            typer.echo(line)
        _table(rows)


def _server(found: Json) -> list[str]:
    floor = f"nothing new is built below {words(found['floor'])}"
    parts = [f"{name.replace('_', ' ')} {words(size)}" for name, size in found["parts"].items()]
    return [
        f"{words(found['free'])} of {words(found['total'])} are free; {floor}.",
        *(["There is too little: deployments are refused."] if found["low"] else []),
        found["forecast"]["words"],
        *([f"The platform's own: {', '.join(parts)}."] if parts else []),
        "",
    ]


def _table(projects: list[Json]) -> None:
    if not projects or not any(one["measured_at"] for one in projects):
        typer.echo("Not measured yet; that happens in the background, soon after a start.")
        return
    rows = [
        (output.plain(one["name"]), *(words(one[part]) for part in ("total", *PARTS)))
        for one in projects
    ]
    output.table(("PROJECT", "TOTAL", *(part.upper() for part in PARTS)), rows)
