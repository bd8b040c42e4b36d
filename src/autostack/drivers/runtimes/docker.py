"""Instances as containers of a Docker engine.

The engine is the memory: what a container is for stands in its labels, and it starts it again
after a crash and after a reboot. Beside it each instance has a room on disk, for the engine's
absence.
"""

import asyncio
import json
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from autostack.core.clock import Clock, utc_now
from autostack.core.home import Home
from autostack.drivers.machine import cgroup, network, remark
from autostack.drivers.machine.docker import Client, Engine, shows
from autostack.drivers.runtimes import docker_calls as calls
from autostack.drivers.runtimes import (
    docker_check,
    docker_container,
    docker_network,
    docker_output,
    docker_stop,
    process_ports,
)
from autostack.drivers.runtimes.docker_container import Seat
from autostack.drivers.runtimes.process import news
from autostack.engine.errors import EngineUnavailable, StartRefused
from autostack.engine.ports import LogSink
from autostack.engine.release import (
    Answer,
    Exit,
    Instance,
    InstanceSpec,
    InstanceState,
    Listener,
    Observation,
    Step,
)

ROOM = "container.json"
RESOLVER = "127.0.0.11"
"""The engine's own name server inside each container."""
OUTPUT_TICK = 0.2
WITHOUT_ENGINE = 5
KILLED = 137


class DockerRuntime:
    """The Runtime port on one engine. Any number of these may come and go."""

    def __init__(
        self,
        engine: Engine,
        home: Home,
        *,
        interval: timedelta = timedelta(seconds=1),
        clock: Clock = utc_now,
    ) -> None:
        self._engine = engine
        self._home = home
        self._interval = interval
        self._clock = clock
        self._known: dict[UUID, Observation] = {}
        self._places: dict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._reader: asyncio.Task[None] | None = None

    def owns(self, instance_id: UUID) -> bool:
        """Whether it was started here; known without the engine."""
        return (self._room(instance_id) / ROOM).exists()

    async def start(self, spec: InstanceSpec) -> Instance:
        """Return as soon as the runtime has taken it; readiness is the probe's question."""
        living = (await self.inspect(spec.id)).state in _LIVING
        if not (living and self._told(spec.id)):
            self._write(spec.id, {})
            async with self._places[spec.environment_id]:
                await self._engine.ask(lambda client: self._start(client, spec))
        self._read_output()
        return self._instance(spec.id)

    async def run_once(self, spec: InstanceSpec, *, limit: timedelta, log: LogSink) -> Exit:
        """Run to the end (release commands). Cancelling ends the whole process tree."""
        self._write(spec.id, {})
        try:
            async with asyncio.timeout(limit.total_seconds()):
                async with self._places[spec.environment_id]:
                    await self._engine.ask(lambda client: self._create(client, spec, once=True))
                return await calls.to_its_end(self._engine, spec.id, log)
        except TimeoutError:
            seconds = limit.total_seconds()
            log.say(f"Ended after {seconds:g} seconds.", step=Step.RELEASE, level="error")
            return Exit(code=KILLED, signal=9)
        finally:
            await asyncio.shield(self.stop(spec.id, grace=timedelta(0)))

    async def stop(self, instance_id: UUID, *, grace: timedelta) -> None:
        """SIGTERM, then SIGKILL after grace; returns when every process is gone and its
        network, cgroup and directory are freed.
        """
        seconds = grace.total_seconds()
        environment = await self._engine.ask(
            lambda client: self._stop(client, instance_id, seconds)
        )
        if environment is not None:
            async with self._places[environment]:
                await self._engine.ask(lambda client: _leave(client, environment))
        await asyncio.to_thread(shutil.rmtree, self._room(instance_id), ignore_errors=True)

    async def inspect(self, instance_id: UUID) -> Observation:
        """How it is now; state MISSING where it never was or is gone."""

        def look(client: Client) -> Observation:
            seen = calls.find(client, instance_id)
            if seen is None:
                return Observation(id=instance_id, state=InstanceState.MISSING)
            return calls.observe(client, instance_id, seen, now=self._clock())

        try:
            seen = await self._engine.ask(look)
        except EngineUnavailable:
            return self._seen_without_engine(instance_id)
        if seen.state in _ENDED:
            await self._bring_now(instance_id)
        return seen

    async def listeners(self, instance_id: UUID) -> Sequence[Listener]:
        """TCP ports its processes listen on, to find an app that ignores $PORT."""
        pid = await self._pid(instance_id)
        if pid is None:
            return []
        found = await asyncio.to_thread(process_ports.listeners, pid, shared=False)
        return [one for one in found if one.host != RESOLVER]

    async def expose(self, instance_id: UUID, listener: Listener) -> Instance:
        """Make a listener reachable from the edge, also one bound to the instance's own
        loopback; the returned address leads to it.
        """
        pid = await self._pid(instance_id)
        if pid is None:
            raise StartRefused("it is not running")
        told = self._told(instance_id)
        if told["published"]:
            raise StartRefused(
                "only its own port is published here", "Listen on 0.0.0.0 and on $PORT."
            )
        if process_ports.is_loopback(listener.host):
            told["forwards"] = sorted({*told["forwards"], listener.port})
            await asyncio.to_thread(network.forward, pid, told["forwards"])
        address = f"{told['address'].rpartition(':')[0]}:{listener.port}"
        self._write(instance_id, {**told, "address": address})
        return self._instance(instance_id)

    async def ask(self, instance_id: UUID, command: Sequence[str], *, limit: timedelta) -> Answer:
        """Run a check command inside an instance; its end is the answer."""
        return await docker_check.ask(self._engine, instance_id, command, limit=limit)

    async def watch(self) -> AsyncIterator[Observation]:
        """What runs here and how it is, from now on; the first round lists everything. Nothing
        is said while the engine is down: what it runs goes on.
        """
        before: Mapping[UUID, Observation] = {}
        while True:
            now = await self._all()
            if now is not None:
                for seen in news(before, now):
                    yield seen
                before = now
                self._read_output()
            # An engine that is not there, and runs nothing of ours, may well stay away.
            rest = 1 if now is not None or before else WITHOUT_ENGINE
            await asyncio.sleep(self._interval.total_seconds() * rest)

    # Starting

    def _start(self, client: Client, spec: InstanceSpec) -> None:
        seat = self._create(client, spec)
        seen = calls.find(client, spec.id)
        if seen is None:
            raise StartRefused("its container is gone")
        host, port = seat.address, spec.place.port
        if seat.published:
            host, port = "127.0.0.1", seat.published
        told: dict[str, Any] = {
            "id": seen["Id"],
            "pid": seen["State"]["Pid"],
            "address": f"{host}:{port}",
            "published": seat.published,
            "output": str(spec.output),
            "log": seen["LogPath"],
            "forwards": [],
        }
        self._write(spec.id, told)

    def _create(self, client: Client, spec: InstanceSpec, *, once: bool = False) -> Seat:
        """A container that runs; one that a crash left half-made is made anew."""
        from docker.errors import APIError  # noqa: PLC0415 - see machine.docker

        if spec.artifact.kind != "image":
            raise StartRefused("it was built as a directory, not as an image", "Deploy it again.")
        try:
            calls.drop(client, spec.id)
            seat = self._seat(client, spec)
            body = docker_container.describe(spec, seat, labels=self._engine.labels, once=once)
            calls.run(client, spec.id, body)
        except APIError as error:
            raise calls.refused(error) from error
        return seat

    def _seat(self, client: Client, spec: InstanceSpec) -> Seat:
        subnet = docker_network.ensure(client, self._engine, spec.environment_id)
        used = calls.in_use(client, spec.environment_id)
        return Seat(
            network=docker_network.name_of(spec.environment_id),
            address=docker_network.free_address(subnet, used),
            published=None if docker_network.reaches(subnet) else spec.place.port,
        )

    # Stopping

    def _stop(self, client: Client, instance_id: UUID, grace: float) -> UUID | None:
        """The environment it was in."""
        from docker.errors import APIError  # noqa: PLC0415 - see machine.docker

        seen = calls.find(client, instance_id)
        if seen is None:
            return None
        if seen["State"]["Running"] and grace > 0:
            with suppress(APIError):  # it ended by itself meanwhile
                docker_stop.end(client, seen, grace=grace)
        calls.kill(client, instance_id)
        self._bring(instance_id, Path(seen["LogPath"]))
        calls.drop(client, instance_id)
        return calls.environment_of(seen)

    # Seeing

    async def _all(self) -> dict[UUID, Observation] | None:
        """None while the engine does not answer."""
        if not await asyncio.to_thread(self._engine.answers):
            return None
        try:
            return await self._engine.ask(self._look)
        except EngineUnavailable:
            return None

    def _look(self, client: Client) -> dict[UUID, Observation]:
        found: dict[UUID, Observation] = {}
        for listed in client.containers(all=True, filters=self._engine.mine):
            if docker_container.ONCE in listed["Labels"]:
                continue
            instance_id = UUID(listed["Labels"]["autostack.instance"])
            seen = self._as_before(instance_id, listed) or self._anew(client, instance_id)
            if seen is not None:
                found[instance_id] = seen
        self._known = found
        return found

    def _as_before(self, instance_id: UUID, listed: Mapping[str, Any]) -> Observation | None:
        """One that has run for a minute has not changed: a look inside costs milliseconds."""
        before = self._known.get(instance_id)
        young = listed["State"] != "running" or "second" in listed["Status"]
        if before is None or young or before.state is not InstanceState.RUNNING:
            return None
        pid = int(self._told(instance_id).get("pid", 0))
        if not shows(pid, listed["Id"]):
            return before
        return replace(before, memory=cgroup.use_around(pid).memory)

    def _anew(self, client: Client, instance_id: UUID) -> Observation | None:
        seen = calls.find(client, instance_id)
        if seen is None:
            return None
        self._restarted(instance_id, seen)
        observed = calls.observe(client, instance_id, seen, now=self._clock())
        if observed.exit and observed.exit.oom:
            self._note_kill(observed, int(seen["HostConfig"]["Memory"]))
        return observed

    def _note_kill(self, observed: Observation, limit: int) -> None:
        """Once for each end, into its log."""
        told = self._told(observed.id)
        ends = observed.restarts + (observed.state in _ENDED)
        if not told or told.get("noted", 0) >= ends:
            return
        self._write(observed.id, {**told, "noted": ends})
        self._bring(observed.id, Path(told["log"]))
        with suppress(OSError):
            room, text = self._room(observed.id), remark.out_of_memory(limit)
            docker_output.add(Path(told["output"]), room, text)

    def _restarted(self, instance_id: UUID, seen: Mapping[str, Any]) -> None:
        """A container that was started again has another process and another network space."""
        told, pid = self._told(instance_id), int(seen["State"]["Pid"])
        if not told or pid in (0, told["pid"]):
            return
        if told["forwards"] and shows(pid, seen["Id"]):
            with suppress(OSError):
                network.forward(pid, told["forwards"])
        self._write(instance_id, {**told, "pid": pid})

    def _seen_without_engine(self, instance_id: UUID) -> Observation:
        """Containers outlive an engine that is restarted, and it takes them up again."""
        told = self._told(instance_id)
        if not told:
            return Observation(id=instance_id, state=InstanceState.MISSING)
        if shows(int(told.get("pid", 0)), str(told.get("id"))):
            return Observation(id=instance_id, state=InstanceState.RUNNING)
        raise EngineUnavailable(self._engine.address)

    async def _pid(self, instance_id: UUID) -> int | None:
        seen = await self._engine.ask(lambda client: calls.find(client, instance_id))
        if seen is None or not shows(int(seen["State"]["Pid"]), seen["Id"]):
            return None
        return int(seen["State"]["Pid"])

    # Output

    def _read_output(self) -> None:
        if self._reader is None or self._reader.done():
            self._reader = asyncio.get_running_loop().create_task(self._read_for_ever())

    async def _read_for_ever(self) -> None:
        """Until there is nothing of ours any more."""
        while logs := self._logs():
            for instance_id, source in logs:
                if docker_output.behind(source, self._room(instance_id)):
                    await asyncio.to_thread(self._bring, instance_id, source)
            await asyncio.sleep(OUTPUT_TICK)

    def _logs(self) -> list[tuple[UUID, Path]]:
        found: list[tuple[UUID, Path]] = []
        for place in self._home.instances.glob(f"*/{ROOM}"):
            with suppress(ValueError):
                one = UUID(place.parent.name)
                if log := self._told(one).get("log"):
                    found.append((one, Path(log)))
        return found

    async def _bring_now(self, instance_id: UUID) -> None:
        """Whoever sees that it ended wants its last words."""
        if source := self._told(instance_id).get("log"):
            await asyncio.to_thread(self._bring, instance_id, Path(source))

    def _bring(self, instance_id: UUID, source: Path) -> None:
        output = self._told(instance_id).get("output")
        if output:
            with suppress(OSError):
                docker_output.bring(source, Path(output), self._room(instance_id))

    # Remembering

    def _room(self, instance_id: UUID) -> Path:
        return self._home.instances / str(instance_id)

    def _told(self, instance_id: UUID) -> dict[str, Any]:
        try:
            told: dict[str, Any] = json.loads((self._room(instance_id) / ROOM).read_text())
        except (OSError, ValueError):
            return {}
        return told

    def _write(self, instance_id: UUID, told: Mapping[str, Any]) -> None:
        room = self._room(instance_id)
        room.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = room / "container.draft"
        draft.write_text(json.dumps(told))
        draft.replace(room / ROOM)

    def _instance(self, instance_id: UUID) -> Instance:
        return Instance(id=instance_id, address=self._told(instance_id)["address"])


_LIVING = {InstanceState.RUNNING, InstanceState.BACKOFF, InstanceState.CRASHED}
_ENDED = {InstanceState.BACKOFF, InstanceState.CRASHED, InstanceState.STOPPED}


def _leave(client: Client, environment_id: UUID) -> None:
    if not calls.in_use(client, environment_id):
        docker_network.remove(client, environment_id)
