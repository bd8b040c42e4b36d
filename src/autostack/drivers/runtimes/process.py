"""Instances as sandboxed processes under the platform's supervisor."""

import asyncio
import json
import shutil
import signal
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from autostack.drivers.machine import cgroup, guests, isolation, network, processes
from autostack.drivers.machine.run import how_it_ended, run
from autostack.drivers.machine.sandbox import Bind, Machine, Sandbox, Way
from autostack.drivers.machine.supervisor import Program, ProgramState, Supervisor, SupervisorDown
from autostack.drivers.runtimes import process_ports
from autostack.engine.errors import StartRefused
from autostack.engine.ports import LogSink
from autostack.engine.release import (
    MIB,
    Answer,
    Exit,
    Instance,
    InstanceSpec,
    InstanceState,
    Listener,
    Observation,
    Step,
)

TICK = 0.02
LAUNCH_TICK = 0.005
AGAIN = 0.1
SECOND_ROUND = 0.1
"""Seconds after which those left behind by what was told to stop are told too."""
MARGIN = 4 * MIB
"""A change of memory smaller than this is no news."""
WEIGHED = 5
"""Rounds of the watch from one reading of memory to the next: it costs more than the rest."""


class ProcessRuntime:
    """The Runtime port on one Linux machine. All memory is in the supervisor and on disk, so
    any number of these may come and go.
    """

    def __init__(
        self,
        machine: Machine,
        *,
        interval: timedelta = timedelta(seconds=2),
        patience: timedelta = timedelta(seconds=30),
    ) -> None:
        """`patience` is how long a start waits for a supervisor that is away."""
        self._machine = machine
        self._interval = interval
        self._patience = patience.total_seconds()
        self._supervisor = Supervisor(machine.home.supervisor_socket)

    async def start(self, spec: InstanceSpec) -> Instance:
        """Return as soon as the runtime has taken it; readiness is the probe's question."""
        if (await self.inspect(spec.id)).state in _LIVING:
            return self._instance(spec.id)
        launcher = await asyncio.to_thread(self._prepare, spec)
        argv = [*launcher, str(self._room(spec.id) / "launch.json")]
        await self._hand_over(spec.id, argv)
        await self._until_launched(spec.id)
        return self._instance(spec.id)

    async def run_once(self, spec: InstanceSpec, *, limit: timedelta, log: LogSink) -> Exit:
        """Run to the end (release commands). Cancelling ends the whole process tree."""
        ran = await run(
            sandbox_of(spec),
            spec.command,
            machine=self._machine,
            on_output=lambda data: log.output(data, step=Step.RELEASE),
            limit=limit,
        )
        if ran.timed_out:
            seconds = limit.total_seconds()
            log.say(f"Ended after {seconds:g} seconds.", step=Step.RELEASE, level="error")
        return ran.exit

    async def stop(self, instance_id: UUID, *, grace: timedelta) -> None:
        """SIGTERM, then SIGKILL after grace; returns when every process is gone and its
        network, cgroup and directory are freed.
        """
        told = await self._tell(instance_id, grace)
        await self._until_gone(instance_id, told, grace)
        await asyncio.to_thread(self._end, instance_id)
        await self._forget(instance_id)
        await asyncio.to_thread(shutil.rmtree, self._room(instance_id), ignore_errors=True)

    async def inspect(self, instance_id: UUID) -> Observation:
        """How it is now; state MISSING where it never was or is gone."""
        return self._see(instance_id, await self._programs())

    async def listeners(self, instance_id: UUID) -> Sequence[Listener]:
        """TCP ports its processes listen on, to find an app that ignores $PORT."""
        init = processes.init_of(self._room(instance_id))
        if init is None:
            return []
        plug = self._launch(instance_id)["network"]
        found = await asyncio.to_thread(process_ports.listeners, init, shared=plug is None)
        return [one for one in found if plug is None or not _is_ours(one, plug)]

    async def expose(self, instance_id: UUID, listener: Listener) -> Instance:
        """Make a listener reachable from the edge, also one bound to the instance's own
        loopback; the returned address leads to it.
        """
        address = self._instance(instance_id).address.rpartition(":")[0]
        init = processes.init_of(self._room(instance_id))
        if init is None:
            raise StartRefused("it is not running")
        if process_ports.is_loopback(listener.host):
            if self._has_own_network(instance_id):
                await asyncio.to_thread(self._lead_in, instance_id, init, listener)
            elif ":" in listener.host:
                address = f"[{listener.host}]"
        self._write(instance_id, "instance.json", {"address": f"{address}:{listener.port}"})
        return self._instance(instance_id)

    async def ask(self, instance_id: UUID, command: Sequence[str], *, limit: timedelta) -> Answer:
        """Run a check command inside an instance; its end is the answer."""
        init = processes.init_of(self._room(instance_id))
        if init is None:
            return Answer(attempts=1, seconds=0, error="it is not running")
        told = guests.describe(self._launch(instance_id), init, command)
        return await guests.ask(told, limit=limit)

    async def watch(self) -> AsyncIterator[Observation]:
        """What runs here and how it is, from now on; the first round lists everything."""
        before: Mapping[UUID, Observation] = {}
        for number in count():
            found = await self._all(weigh=number % WEIGHED == 0)
            now = {seen.id: _weighed(seen, before) for seen in found}
            for seen in news(before, now):
                yield seen
            before = now
            await asyncio.sleep(self._interval.total_seconds())

    # Starting

    def _prepare(self, spec: InstanceSpec) -> Sequence[str]:
        """Everything the launcher needs, written before the supervisor hears of it."""
        room, box = self._room(spec.id), sandbox_of(spec)
        way = Way(output=spec.output, state=room)
        launcher, told = isolation.describe(box, spec.command, way, machine=self._machine)
        room.mkdir(mode=0o700, parents=True, exist_ok=True)
        network.ensure(self._machine.host)
        cgroup.end(spec.id)
        cgroup.create(spec.id, spec.limits)
        self._write(spec.id, "launch.json", told)
        place = f"{spec.place.address}:{spec.place.port}"
        self._write(spec.id, "instance.json", {"address": place})
        return launcher

    async def _hand_over(self, instance_id: UUID, argv: Sequence[str]) -> None:
        """A supervisor that died is back in seconds; no deployment need fail for that."""
        end = time.monotonic() + self._patience
        while True:
            try:
                await self._supervisor.remove(str(instance_id))
                await self._supervisor.add(str(instance_id), argv, state=self._room(instance_id))
            except SupervisorDown as error:
                if time.monotonic() > end:
                    raise StartRefused("the supervisor is down", "Run `autostack up`.") from error
            else:
                return
            await asyncio.sleep(AGAIN)

    def _write(self, instance_id: UUID, name: str, document: Mapping[str, object]) -> None:
        """As a whole or not at all, and for our own eyes: it holds the app's secrets."""
        target = self._room(instance_id) / name
        draft = target.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(document))
        draft.replace(target)

    def _lead_in(self, instance_id: UUID, init: int, listener: Listener) -> None:
        """Now, and at every restart: a restarted instance has a new network namespace."""
        launch = self._launch(instance_id)
        way = "carries" if ":" in listener.host else "forwards"
        plug = launch["network"]
        plug[way] = sorted({*plug.get(way, ()), listener.port})
        self._write(instance_id, "launch.json", launch)
        if way == "carries":
            network.carry(init, launch)
        else:
            network.forward(init, plug["forwards"])

    async def _until_launched(self, instance_id: UUID) -> None:
        """Until its address exists: a connection tried before that waits a second for ARP."""
        for _ in range(200):
            if processes.init_of(self._room(instance_id)):
                return
            await asyncio.sleep(LAUNCH_TICK)

    # Stopping

    async def _tell(self, instance_id: UUID, grace: timedelta) -> set[int]:
        init = processes.init_of(self._room(instance_id))
        told = set(processes.addressees(init)) if init else set[int]()
        if await self._is_known(instance_id):
            # We kill before the supervisor would: its own clock is only for our death.
            limit = grace.total_seconds() + 5
            with suppress(SupervisorDown):
                await self._supervisor.stop(str(instance_id), grace=limit)
        else:
            processes.send(told, signal.SIGTERM)
        return told

    async def _until_gone(self, instance_id: UUID, told: set[int], grace: timedelta) -> None:
        started = time.monotonic()
        while init := processes.init_of(self._room(instance_id)):
            living = {process.pid for process in processes.inside(init)}
            waited = time.monotonic() - started
            if waited > grace.total_seconds():
                return
            if waited > SECOND_ROUND and not living & told:
                # A shell outlived what it had started, or started something else.
                processes.send(living, signal.SIGTERM)
                told |= living
            await asyncio.sleep(TICK)

    def _end(self, instance_id: UUID) -> None:
        init = processes.init_of(self._room(instance_id))
        if init:
            processes.kill_below(init)
            processes.send([init], signal.SIGKILL)
            _until_dead(init)
        cgroup.end(instance_id)

    async def _forget(self, instance_id: UUID) -> None:
        """The supervisor learns of the end a moment later than we do."""
        with suppress(SupervisorDown):
            for _ in range(100):
                if not await self._is_known(instance_id) or await self._supervisor.remove(
                    str(instance_id)
                ):
                    return
                await asyncio.sleep(TICK)

    # Seeing

    async def _all(self, *, weigh: bool) -> list[Observation]:
        programs = await self._programs()
        ids = {*_ids(programs or ()), *_ids(_names(self._machine.home.instances))}
        return [self._see(each, programs, weigh=weigh) for each in sorted(ids)]

    async def _programs(self) -> dict[str, Program] | None:
        """None while there is no supervisor."""
        try:
            return {program.name: program for program in await self._supervisor.programs()}
        except SupervisorDown:
            return None

    async def _is_known(self, instance_id: UUID) -> bool:
        """Whether there is a supervisor that looks after it."""
        return str(instance_id) in (await self._programs() or {})

    def _see(
        self, instance_id: UUID, programs: Mapping[str, Program] | None, *, weigh: bool = True
    ) -> Observation:
        init = processes.init_of(self._room(instance_id))
        program = (programs or {}).get(str(instance_id))
        seen = observe(instance_id, program, alive=init is not None)
        if programs is None:
            # It can be replaced only once there is a supervisor again to start its successor.
            seen = replace(seen, orphan=False)
        if init is None or not weigh:
            return seen
        use = cgroup.use(instance_id)
        return replace(seen, memory=use.memory, held=use.held)

    # Remembering

    def _room(self, instance_id: UUID) -> Path:
        return self._machine.home.instances / str(instance_id)

    def _instance(self, instance_id: UUID) -> Instance:
        told = json.loads((self._room(instance_id) / "instance.json").read_text())
        return Instance(id=instance_id, address=told["address"])

    def _launch(self, instance_id: UUID) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self._room(instance_id) / "launch.json").read_text())
        return told

    def _has_own_network(self, instance_id: UUID) -> bool:
        return self._launch(instance_id)["network"] is not None


_LIVING = {InstanceState.STARTING, InstanceState.RUNNING, InstanceState.BACKOFF}
_STATES = {
    ProgramState.STARTING: InstanceState.STARTING,
    ProgramState.RUNNING: InstanceState.RUNNING,
    ProgramState.STOPPING: InstanceState.RUNNING,
    ProgramState.BACKOFF: InstanceState.BACKOFF,
    # It ended after a while; the supervisor starts it again in a moment.
    ProgramState.EXITED: InstanceState.BACKOFF,
    ProgramState.FATAL: InstanceState.CRASHED,
    ProgramState.STOPPED: InstanceState.STOPPED,
    ProgramState.UNKNOWN: InstanceState.CRASHED,
}


def _is_ours(listener: Listener, plug: Mapping[str, Any]) -> bool:
    """What leads to the app, and is not the app."""
    return listener.host == plug["address"] and listener.port in plug.get("carries", ())


def _until_dead(pid: int) -> None:
    """The kernel ends the rest of a pid namespace before its first process is gone."""
    for _ in range(500):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.01)


def observe(instance_id: UUID, program: Program | None, *, alive: bool) -> Observation:
    """What the supervisor says, and whether the sandbox lives, as one state."""
    if program is None:
        state = InstanceState.RUNNING if alive else InstanceState.MISSING
        return Observation(id=instance_id, state=state, orphan=alive)
    state = _STATES[program.state]
    if alive and state is InstanceState.STARTING:
        state = InstanceState.RUNNING
    ended = None if program.code is None else how_it_ended(program.code, oom=program.oom)
    return Observation(id=instance_id, state=state, restarts=program.restarts, exit=ended)


def news(
    before: Mapping[UUID, Observation], now: Mapping[UUID, Observation]
) -> Iterable[Observation]:
    """What is worth saying: what is new, changed, or gone."""
    for each, seen in now.items():
        earlier = before.get(each)
        if earlier is None or _differs(earlier, seen):
            yield seen
    for each in before.keys() - now.keys():
        if before[each].state is not InstanceState.MISSING:
            yield Observation(id=each, state=InstanceState.MISSING)


def _weighed(seen: Observation, before: Mapping[UUID, Observation]) -> Observation:
    """With the memory it was last seen to have, where this round did not read it."""
    earlier = before.get(seen.id)
    alive = seen.state is InstanceState.RUNNING
    if earlier is None or not alive or seen.memory:
        return seen
    return replace(seen, memory=earlier.memory, held=earlier.held)


def _differs(earlier: Observation, seen: Observation) -> bool:
    grown = abs(earlier.memory - seen.memory) >= MARGIN
    return grown or replace(earlier, memory=0, held=0) != replace(seen, memory=0, held=0)


def sandbox_of(spec: InstanceSpec) -> Sandbox:
    """The artifact's tree at /app, writable without touching it, and what it was built with."""
    location = Path(spec.artifact.location)
    told = json.loads((location / "artifact.json").read_text())
    return Sandbox(
        id=spec.id,
        uid=spec.uid,
        binds=(Bind(source=location / "app", target="/app", scratch=True),),
        read_only=tuple(Path(path) for path in told["mounts"]),
        path=tuple(told["path"]),
        env={**told["env"], **spec.env},
        address=spec.place.address,
        limits=spec.limits,
    )


def _names(directory: Path) -> list[str]:
    with suppress(OSError):
        return [entry.name for entry in directory.iterdir() if entry.is_dir()]
    return []


def _ids(names: Iterable[str]) -> Iterable[UUID]:
    for name in names:
        with suppress(ValueError):
            yield UUID(name)
