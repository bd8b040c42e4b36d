"""Follow one deployment to its end, on the screen or as JSON lines."""

from collections.abc import Generator
from contextlib import contextmanager

from autostack.entrypoints.cli import output
from autostack.entrypoints.cli.client import Client, Json
from autostack.entrypoints.cli.errors import CliError, Interrupted

FINAL = frozenset({"success", "failed", "canceled", "superseded"})
LEVELS = {"warning": "yellow", "error": "red"}


def follow(client: Client, deployment: Json, *, settled: bool = False) -> Json:
    """The log line by line until it is over; returns the finished deployment. `settled` waits
    for the verdict of the watch too.
    """
    screen = output.console()
    step = ""
    with _goes_on(deployment):
        for sent in client.stream(f"/deployments/{deployment['id']}/logs"):
            if sent.kind == "end":
                break
            line = sent.data
            if line["step"] != step:
                step = line["step"]
                screen.print(f"[bold]▸ {output.plain(step.replace('_', ' '))}[/]")
            style = LEVELS.get(line["level"])
            text = output.plain(line["text"])
            screen.print(f"  [{style}]{text}[/]" if style else f"  {text}")
        return _over(client, deployment, settled=settled)


def wait(client: Client, deployment: Json, *, settled: bool = False) -> Json:
    """The finished deployment, without its log."""
    with _goes_on(deployment):
        for sent in client.stream(f"/deployments/{deployment['id']}/logs"):
            if sent.kind == "end":
                break
        return _over(client, deployment, settled=settled)


def _over(client: Client, deployment: Json, *, settled: bool) -> Json:
    path = f"/deployments/{deployment['id']}"
    found: Json = client.get(path)
    if not settled or found["settled_at"] or found["status"] != "success":
        return found
    output.console().print("[dim]It serves; waiting for the verdict of the watch.[/]")
    for sent in client.stream(f"{path}/events"):
        if sent.kind == "deployment.settled":
            break
    return client.get(path)


@contextmanager
def _goes_on(deployment: Json) -> Generator[None]:
    """Ctrl-C leaves the deployment running and says how to cancel it."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(
            "Stopped following; the deployment goes on.",
            f"Cancel it with `autostack cancel {deployment['id']}`.",
        ) from None


def watched(watch: Json) -> str:
    """The verdict of a watch, or that it is still open."""
    if watch["state"] == "open":
        return f"Watched for {watch['limit']:.0f} s from now on."
    if watch["state"] == "replaced":
        return "A newer deployment has taken over; the watch ended there."
    if watch["state"] == "worse":
        return f"Worse than before after {watch['seconds']:.0f} s: {watch['why']}."
    said = f"{watch['errors']} of {watch['requests']} requests were answered with an error"
    if watch["basis"] == "health":
        said += "; too few for a verdict, so health and restarts decided"
    return f"Watched for {watch['seconds']:.0f} s: {said}."


def tell(deployment: Json) -> None:
    """How it ended, with the cause and what to do; a CliError unless it went well."""
    screen = output.console()
    times = [
        f"{step['name'].replace('_', ' ')} {output.seconds(step['started_at'], step['ended_at'])}"
        for step in deployment["steps"]
        if step["ended_at"] and step["outcome"] == "done"
    ]
    if times:
        screen.print(f"[dim]{' · '.join(times)}[/]")
    for warning in deployment["warnings"]:
        screen.print(f"[yellow]warning[/] {output.plain(warning)}")
    if deployment["evidence"]:
        screen.print(output.plain(deployment["evidence"]["summary"]))
    if deployment["watch"]:
        screen.print(f"[dim]{output.plain(watched(deployment['watch']))}[/]")
    if deployment["status"] == "success":
        screen.print(f"{output.mark('success')}  http://{deployment['url']}/")
        return
    diagnosis: Json = deployment["diagnosis"] or {}
    if diagnosis.get("proof"):
        screen.print(f"[dim]│[/] {output.plain(diagnosis['proof'])}")
    message = diagnosis.get("summary") or deployment["error_message"] or deployment["status"]
    raise CliError(output.clean(message), output.clean(diagnosis.get("todo", "")))
