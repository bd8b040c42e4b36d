"""What the Docker runtime asks of the engine, one question or order each. All of it blocks, but
for the way to an end.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from autostack.drivers.machine import cgroup
from autostack.drivers.machine.docker import Client, Engine, shows
from autostack.drivers.runtimes import docker_container
from autostack.drivers.runtimes.docker_container import name_of
from autostack.engine.errors import StartRefused
from autostack.engine.ports import LogSink
from autostack.engine.release import Exit, Observation, Step

if TYPE_CHECKING:
    from docker.errors import APIError

ENVIRONMENT = "autostack.environment"


def find(client: Client, instance_id: UUID) -> dict[str, Any] | None:
    from docker.errors import NotFound  # noqa: PLC0415 - see machine.docker

    try:
        return client.inspect_container(name_of(instance_id))
    except NotFound:
        return None


def environment_of(seen: dict[str, Any]) -> UUID:
    return UUID(seen["Config"]["Labels"][ENVIRONMENT])


def observe(
    client: Client, instance_id: UUID, seen: dict[str, Any], *, now: datetime
) -> Observation:
    last = _last_end(client, seen, now=now) if seen.get("RestartCount") else None
    observed = docker_container.observe(instance_id, seen, now=now, last=last)
    pid = int(seen["State"]["Pid"])
    if not shows(pid, seen["Id"]):
        return observed
    use = cgroup.use_around(pid)
    return replace(observed, memory=use.memory, held=use.held)


def _last_end(client: Client, seen: dict[str, Any], *, now: datetime) -> Exit | None:
    """The engine remembers some hundred events."""
    events = client.events(
        since=str(docker_container.moment(seen["Created"]).timestamp()),
        until=str(now.timestamp()),  # a later moment would be waited for
        filters={"container": [seen["Id"]], "event": ["die", "oom"]},
        decode=True,
    )
    return docker_container.last_end(list(events))


def run(client: Client, instance_id: UUID, described: dict[str, Any]) -> None:
    made = client.create_container_from_config(described, name=name_of(instance_id))
    client.start(made["Id"])


def drop(client: Client, instance_id: UUID) -> None:
    """By force; what is gone is no error."""
    from docker.errors import NotFound  # noqa: PLC0415 - see machine.docker

    with suppress(NotFound):
        client.remove_container(name_of(instance_id), force=True, v=True)


def kill(client: Client, instance_id: UUID) -> None:
    """Until the engine knows that every process is gone, and has their output."""
    from docker.errors import APIError  # noqa: PLC0415 - see machine.docker

    with suppress(APIError):  # it runs no more
        client.kill(name_of(instance_id))
    with suppress(APIError):
        client.wait(name_of(instance_id), timeout=30)


async def to_its_end(engine: Engine, instance_id: UUID, log: LogSink) -> Exit:
    """What it prints goes to the log of a deployment."""
    loop, name = asyncio.get_running_loop(), name_of(instance_id)

    def follow(client: Client) -> None:
        for data in client.logs(name, stdout=True, stderr=True, stream=True, follow=True):
            loop.call_soon_threadsafe(partial(log.output, data, step=Step.RELEASE))

    def wait(client: Client) -> Exit:
        client.wait(name)
        state = client.inspect_container(name)["State"]
        return docker_container.how_it_ended(state["ExitCode"], oom=state["OOMKilled"])

    following = engine.begin(follow)
    try:
        ended = await engine.begin(wait)
        await following
        return ended
    finally:
        following.cancel()


def in_use(client: Client, environment_id: UUID) -> list[str]:
    """Addresses of the environment's containers, those that rest included; newest first."""
    wanted = {"label": [f"{ENVIRONMENT}={environment_id}"]}
    listed = client.containers(all=True, filters=wanted)
    return [str(one["Labels"]["autostack.address"]) for one in listed]


def said(error: "APIError") -> str:
    """The engine's own words, without their full stop."""
    return str(error.explanation or error).strip().rstrip(".")


def refused(error: "APIError") -> StartRefused:
    from docker.errors import ImageNotFound  # noqa: PLC0415 - see machine.docker

    if isinstance(error, ImageNotFound):
        return StartRefused("its image is gone from the engine", "Deploy again to build it.")
    words, hint = said(error), ""
    if "executable file not found" in words or "no such file or directory" in words:
        hint = "Its start command is no program of the image: correct the command or CMD."
    return StartRefused(words, hint)
