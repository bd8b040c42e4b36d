"""Processes and containers on one machine. The driver that started an instance ends it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID
from weakref import WeakValueDictionary

from autostack.core.logs import hiding
from autostack.core.logs.redaction import Redaction
from autostack.drivers.runtimes.docker import DockerRuntime
from autostack.drivers.runtimes.process import ProcessRuntime
from autostack.engine.ports import LogSink, Runtime
from autostack.engine.release import Answer, Exit, Instance, InstanceSpec, Listener, Observation

IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenRuntime:
    """What is new is chosen by its artifact, what runs by who knows it."""

    processes: ProcessRuntime
    containers: DockerRuntime
    _acts: WeakValueDictionary[UUID, asyncio.Lock] = field(
        default_factory=WeakValueDictionary[UUID, asyncio.Lock], init=False
    )
    """One act after the other for each instance: a deployment may end what the reconciler is just
    starting again. One worker acts on one machine, so its memory is enough for that.
    """

    async def start(self, spec: InstanceSpec) -> Instance:
        async with self._alone(spec.id):
            await asyncio.to_thread(_tell_collector, spec)
            return await self._new(spec).start(spec)

    async def run_once(self, spec: InstanceSpec, *, limit: timedelta, log: LogSink) -> Exit:
        return await self._new(spec).run_once(spec, limit=limit, log=log)

    async def stop(self, instance_id: UUID, *, grace: timedelta) -> None:
        async with self._alone(instance_id):
            await self._of(instance_id).stop(instance_id, grace=grace)

    async def inspect(self, instance_id: UUID) -> Observation:
        return await self._of(instance_id).inspect(instance_id)

    async def listeners(self, instance_id: UUID) -> Sequence[Listener]:
        return await self._of(instance_id).listeners(instance_id)

    async def expose(self, instance_id: UUID, listener: Listener) -> Instance:
        return await self._of(instance_id).expose(instance_id, listener)

    async def ask(self, instance_id: UUID, command: Sequence[str], *, limit: timedelta) -> Answer:
        return await self._of(instance_id).ask(instance_id, command, limit=limit)

    async def watch(self) -> AsyncIterator[Observation]:
        """Both at once. The failure of one ends the watch: whoever watches begins anew."""
        seen: asyncio.Queue[Observation] = asyncio.Queue()
        watching = [
            asyncio.create_task(self._pour(each, seen))
            for each in (self.processes, self.containers)
        ]
        try:
            while True:
                yield await _next(seen, watching)
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)

    async def _pour(self, runtime: Runtime, seen: asyncio.Queue[Observation]) -> None:
        """Each tells of its own; both find the other's rooms on the disk."""
        async for one in runtime.watch():
            if runtime is self.containers or not self.containers.owns(one.id):
                seen.put_nowait(one)

    def _alone(self, instance_id: UUID) -> asyncio.Lock:
        return self._acts.setdefault(instance_id, asyncio.Lock())

    def _new(self, spec: InstanceSpec) -> Runtime:
        return self.containers if spec.artifact.kind == IMAGE else self.processes

    def _of(self, instance_id: UUID) -> Runtime:
        return self.containers if self.containers.owns(instance_id) else self.processes


async def _next(
    seen: asyncio.Queue[Observation], watching: Sequence[asyncio.Task[None]]
) -> Observation:
    asking = asyncio.ensure_future(seen.get())
    try:
        await asyncio.wait({asking, *watching}, return_when=asyncio.FIRST_COMPLETED)
        for task in watching:
            if task.done():
                task.result()
        return await asking
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking


def _tell_collector(spec: InstanceSpec) -> None:
    """What it must not keep, before there is anything to keep."""
    spec.output.parent.mkdir(parents=True, exist_ok=True)
    hiding.write(str(spec.output), Redaction(spec.hidden))
