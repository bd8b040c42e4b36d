"""In-memory sides of the ports. Each passes the contract test of its port."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from autostack.engine.errors import Canceled, StaleGeneration
from autostack.engine.plan import Check, Plan
from autostack.engine.ports import BuildSpec, Living, LogSink, Served, Wanted
from autostack.engine.release import (
    Answer,
    Artifact,
    Checkout,
    Diagnosis,
    Drained,
    Exit,
    Instance,
    InstanceSpec,
    InstanceState,
    Listener,
    NetworkPlace,
    Observation,
    Outcome,
    Repository,
    Routes,
    Status,
    Step,
)
from autostack.engine.tally import NONE, Tally


class FakeLog:
    """Keeps what was said, in order."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.printed = b""

    def say(self, text: str, *, step: str, level: str = "info") -> None:
        self.said.append(text)

    def output(self, data: bytes, *, step: str) -> None:
        self.printed += data

    def close(self) -> None:
        self.said.append("(closed)")


class FakeSource:
    """One repository whose branches name commits; a fetch makes the tree's directory."""

    def __init__(self, home: Path, **branches: str) -> None:
        self.home = home
        self.branches = branches or {"main": "a" * 40}
        self.fetched: list[str] = []
        self.failure: Exception | None = None

    async def fetch(self, repository: Repository, *, log: LogSink) -> Checkout:
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        ref = repository.ref or await self.default_branch(repository)
        sha = self.branches.get(ref, ref)
        self.fetched.append(sha)
        tree = self.home / sha
        tree.mkdir(parents=True, exist_ok=True)
        return Checkout(tree=tree, sha=sha, branch=ref, message="Say hello", author="Ada")

    async def default_branch(self, repository: Repository) -> str:
        return next(iter(self.branches))


class FakeBuilder:
    """Builds by remembering; `built` counts real builds, not questions for what is there."""

    def __init__(self) -> None:
        self.artifacts: dict[UUID, Artifact] = {}
        self.built = 0
        self.running = 0
        self.hold: asyncio.Event | None = None
        self.failure: Exception | None = None

    async def build(self, spec: BuildSpec, *, log: LogSink) -> Artifact:
        if spec.id in self.artifacts:
            return self.artifacts[spec.id]
        self.running += 1
        try:
            await self._work(log)
        finally:
            self.running -= 1
        self.built += 1
        artifact = Artifact(id=str(spec.id), kind="directory", location=f"/artifacts/{spec.id}")
        return self.artifacts.setdefault(spec.id, artifact)

    async def _work(self, log: LogSink) -> None:
        await asyncio.sleep(0)
        log.output(b"building\n", step=Step.BUILD)
        if self.hold is not None:
            await self.hold.wait()
        if self.failure is not None:
            raise self.failure

    async def remove(self, artifact: Artifact) -> None:
        self.artifacts.pop(UUID(artifact.id), None)


class FakeRuntime:
    """A place where instances are dictionary entries.

    `behave` decides, by process name, how an instance that was started is seen.
    """

    def __init__(self) -> None:
        self.running: dict[UUID, InstanceSpec] = {}
        self.history: list[tuple[str, UUID]] = []
        self.ended: list[UUID] = []
        """Whatever was told to stop, running or not."""
        self.behave: dict[str, Observation] = {}
        self.listening: tuple[Listener, ...] = ()
        self.exposed: dict[UUID, Listener] = {}
        self.exit = Exit(code=0)
        self.ran: list[tuple[str, ...]] = []
        self.hold: asyncio.Event | None = None
        """What is run once goes on until this is set."""
        self.busy: dict[UUID, InstanceSpec] = {}
        self.refusal: Exception | None = None
        self.asked: list[tuple[str, ...]] = []
        self.objections: list[str] = []
        """What the next questions are answered with; then all is well."""

    async def start(self, spec: InstanceSpec) -> Instance:
        await asyncio.sleep(0)
        if self.refusal is not None:
            raise self.refusal
        if spec.id not in self.running:
            self.running[spec.id] = spec
            self.history.append(("start", spec.id))
        return Instance(id=spec.id, address=address(spec))

    async def run_once(self, spec: InstanceSpec, *, limit: timedelta, log: LogSink) -> Exit:
        self.ran.append(tuple(spec.command))
        if self.refusal is not None:
            raise self.refusal
        self.busy[spec.id] = spec
        try:
            log.output(b"running\n", step=Step.RELEASE)
            if self.hold is not None:
                await self.hold.wait()
            return self.exit
        finally:
            del self.busy[spec.id]

    async def stop(self, instance_id: UUID, *, grace: timedelta) -> None:
        await asyncio.sleep(0)
        self.ended.append(instance_id)
        if self.running.pop(instance_id, None) is not None:
            self.history.append(("stop", instance_id))

    async def inspect(self, instance_id: UUID) -> Observation:
        spec = self.running.get(instance_id)
        if spec is None:
            return Observation(id=instance_id, state=InstanceState.MISSING)
        normal = Observation(id=instance_id, state=InstanceState.RUNNING)
        return replace(self.behave.get(spec.process, normal), id=instance_id)

    async def listeners(self, instance_id: UUID) -> Sequence[Listener]:
        return self.listening

    async def expose(self, instance_id: UUID, listener: Listener) -> Instance:
        self.exposed[instance_id] = listener
        return Instance(id=instance_id, address=f"{self.running[instance_id].place.address}:1")

    async def ask(self, instance_id: UUID, command: Sequence[str], *, limit: timedelta) -> Answer:
        self.asked.append(tuple(command))
        if instance_id not in self.running:
            return Answer(attempts=1, seconds=0, error="it is not running")
        error = self.objections.pop(0) if self.objections else said_by(command, limit)
        return Answer(attempts=1, seconds=0, error=error)

    async def watch(self) -> AsyncIterator[Observation]:
        for instance_id in list(self.running):
            yield await self.inspect(instance_id)

    def processes(self) -> list[str]:
        return sorted(spec.process for spec in self.running.values())


def said_by(command: Sequence[str], limit: timedelta) -> str:
    """What a shell would make of `sleep 9; exit 3`."""
    sleep, code = re.search(r"sleep (\d+)", command[-1]), re.search(r"exit (\d+)", command[-1])
    if sleep is not None and int(sleep[1]) > limit.total_seconds():
        return f"the check command did not end within {limit.total_seconds():g} seconds"
    if code is not None and code[1] != "0":
        return f"the check command ended with exit code {code[1]}"
    return ""


def address(spec: InstanceSpec) -> str:
    return f"{spec.place.address}:{spec.place.port}"


class FakeProbe:
    """Answers 200, unless told otherwise for an address or for all."""

    def __init__(self) -> None:
        self.answer = Answer(attempts=1, seconds=0, status=200)
        self.special: dict[str, Answer] = {}
        self.asked: list[str] = []

    async def once(self, address: str, check: Check) -> Answer:
        self.asked.append(address)
        return self.special.get(address, self.answer)


class FakeRouter:
    """An edge whose routes are a dictionary; refuses older generations like a real one."""

    def __init__(self) -> None:
        self.routes: dict[UUID, Routes] = {}
        self.generations: dict[UUID, int] = {}
        self.applied: list[tuple[int, Routes]] = []
        self.unconfirmed: Exception | None = None
        self.drained: list[str] = []
        self.counted: dict[UUID, Tally] = {}
        self.visits: list[Answer] = []
        self.visited = Answer(attempts=1, seconds=0.001, status=200)
        self.has_drifted = False

    async def drifted(self) -> bool:
        found, self.has_drifted = self.has_drifted, False
        return found

    async def apply(self, routes: Routes, *, generation: int) -> None:
        await asyncio.sleep(0)
        self._refuse_older(routes.environment_id, generation)
        if self.routes.get(routes.environment_id) != routes:
            self.applied.append((generation, routes))
        self.routes[routes.environment_id] = routes
        self.generations[routes.environment_id] = generation

    async def confirm(self, routes: Routes, *, limit: timedelta) -> None:
        if self.unconfirmed is not None:
            failure, self.unconfirmed = self.unconfirmed, None
            raise failure

    async def drain(self, targets: Sequence[str], *, limit: timedelta) -> Drained:
        self.drained.extend(targets)
        return Drained(seconds=0, open=0)

    async def visit(self, routes: Routes, *, path: str, limit: timedelta) -> Answer:
        await asyncio.sleep(0)
        there = routes.environment_id in self.routes
        self.visits.append(self.visited if there else replace(self.visited, status=404))
        return self.visits[-1]

    async def tallies(self, *, fresh: bool = False) -> Mapping[UUID, Tally]:
        return dict(self.counted)

    async def remove(self, environment_id: UUID, *, generation: int) -> None:
        self._refuse_older(environment_id, generation)
        self.routes.pop(environment_id, None)
        self.generations[environment_id] = generation

    def _refuse_older(self, environment_id: UUID, generation: int) -> None:
        current = self.generations.get(environment_id, 0)
        if generation < current:
            raise StaleGeneration(generation, current)


@dataclass
class FakeRecord:
    kept: Mapping[str, Any] | None = None
    left: dict[str, Any] = field(default_factory=dict[str, Any])

    def leave(self, **facts: Any) -> None:  # noqa: ANN401
        self.left.update(facts)


@dataclass
class FakeEnvironment:
    """What deployments of one environment share."""

    id: UUID = field(default_factory=uuid4)
    generation: int = 0
    owner: "FakeJournal | None" = None
    routes: Routes | None = None
    usual: Tally = NONE
    journals: "list[FakeJournal]" = field(default_factory=list["FakeJournal"])


class FakeJournal:
    """One deployment's memory; survives a crash because the test keeps the object."""

    def __init__(self, environment: FakeEnvironment | None = None) -> None:
        self.environment = environment or FakeEnvironment()
        self.environment.journals.append(self)
        self.deployment_id = uuid4()
        self.release_id = uuid4()
        self.outcomes: dict[Step, Outcome | None] = {}
        self.kept: dict[Step, dict[str, Any]] = {}
        self.status: Status | None = None
        self.message = ""
        self.diagnosis: Diagnosis | None = None
        self.warnings: list[str] = []
        self.watch: Mapping[str, Any] = {}
        self.evidence: Mapping[str, Any] = {}
        self.is_settled = False
        self.cancel = asyncio.Event()
        self.rows: dict[tuple[str, int], InstanceSpec] = {}
        self.seats: dict[UUID, str] = {}
        self.freed: set[UUID] = set()
        self.left: set[UUID] = set()
        self.adopted: dict[tuple[str, int], FakeJournal] = {}
        self._before: Served | None = None
        self._switched: tuple[Routes, int] | None = None
        self._restored: tuple[Routes, int] | None = None

    def step(self, step: Step) -> AbstractAsyncContextManager[FakeRecord]:
        return self.real_step(step)

    @asynccontextmanager
    async def real_step(self, step: Step) -> AsyncGenerator[FakeRecord]:
        if self.cancel.is_set() and self.status is None:
            raise Canceled
        done = self.outcomes.get(step) is Outcome.DONE
        record = FakeRecord(kept=self.kept.get(step, {}) if done else None)
        self.outcomes.setdefault(step, None)
        try:
            yield record
        except Exception:
            self.outcomes[step] = Outcome.FAILED
            raise
        self.outcomes[step] = Outcome.DONE
        if record.left:
            self.kept[step] = record.left

    async def skip(self, step: Step) -> None:
        self.outcomes[step] = Outcome.SKIPPED

    async def canceled(self) -> None:
        await self.cancel.wait()

    async def found(self, checkout: Checkout) -> None:
        await asyncio.sleep(0)

    async def release(self, plan: Plan, artifact: Artifact) -> UUID:
        return self.release_id

    async def reuse(self, release_id: UUID) -> None:
        self.release_id = release_id

    async def allocate(self, release_id: UUID, wanted: Sequence[Wanted]) -> Sequence[InstanceSpec]:
        for one in wanted:
            if (one.process, one.index) not in self.rows:
                self.rows[one.process, one.index] = self._spec(release_id, one)
        return [self.rows[one.process, one.index] for one in wanted]

    def _spec(self, release_id: UUID, one: Wanted) -> InstanceSpec:
        count = sum(len(journal.rows) for journal in self.environment.journals)
        return InstanceSpec(
            id=uuid4(),
            project_id=uuid4(),
            environment_id=self.environment.id,
            release_id=release_id,
            process=one.process,
            artifact=Artifact(id="a", kind="directory", location="/artifacts/a"),
            command=one.command,
            env=one.env,
            uid=1000 + count,
            place=NetworkPlace(address=f"10.0.0.{count + 2}", port=8000),
            output=Path("/dev/null"),
        )

    async def adopt(self, release_id: UUID, wanted: Sequence[Wanted]) -> None:
        for other in self.environment.journals:
            for seat, spec in list(other.rows.items()):
                kept = spec.release_id == release_id and spec.id not in self.freed | other.left
                asked = seat in [(one.process, one.index) for one in wanted]
                if other is not self and kept and asked and seat not in self.rows:
                    self.rows[seat] = other.rows.pop(seat)
                    self.adopted[seat] = other
                    self.seats[spec.id] = other.seats[spec.id]

    async def give_back(self) -> None:
        for seat, owner in self.adopted.items():
            owner.rows[seat] = self.rows.pop(seat)
        self.adopted.clear()

    async def started(self, instances: Sequence[Instance]) -> None:
        self.seats.update({one.id: one.address for one in instances})

    async def stopped(self, instance_ids: Sequence[UUID]) -> None:
        for journal in self.environment.journals:
            journal.freed.update(instance_ids)

    async def mine(self) -> Sequence[Living]:
        return [
            Living(id=spec.id, process=spec.process, address=self.seats.get(spec.id))
            for spec in self.rows.values()
            if spec.id not in self.freed
        ]

    async def older(self) -> Sequence[Living]:
        earlier = self.environment.journals[: self.environment.journals.index(self)]
        return [one for journal in earlier for one in await journal.mine()]

    async def leaving(self) -> Sequence[Living]:
        found = await self.older()
        for journal in self.environment.journals:
            journal.left.update(one.id for one in found)
        return found

    async def specs(self, instance_ids: Sequence[UUID]) -> Sequence[InstanceSpec]:
        rows = [spec for one in self.environment.journals for spec in one.rows.values()]
        return [spec for spec in rows if spec.id in instance_ids and spec.id not in self.freed]

    async def before(self) -> Served | None:
        return self._before if self._switched else await self._serving()

    async def _serving(self) -> Served | None:
        owner, routes = self.environment.owner, self.environment.routes
        if owner is None or routes is None:
            return None
        ids = tuple(one.id for one in await owner.mine())
        return Served(release_id=routes.release_id, routes=routes, instances=ids)

    async def routed(
        self, release_id: UUID, targets: Sequence[str], directory: Path | None
    ) -> tuple[Routes, int]:
        routes = Routes(
            environment_id=self.environment.id,
            release_id=release_id,
            name="shop",
            hosts=("shop.localhost",),
            targets=tuple(targets),
            directory=directory,
        )
        if self._switched is None or self._switched[0] != routes:
            self._before = await self.before()
            self._switched = self._point(self, routes)
        return self._switched

    def _point(self, owner: "FakeJournal | None", routes: Routes) -> tuple[Routes, int]:
        self.environment.generation += 1
        self.environment.owner, self.environment.routes = owner, routes
        return routes, self.environment.generation

    async def restored(self) -> tuple[Routes, int] | None:
        if self._restored is None and await self.current():
            owner = self._owner_of(self._before) if self._before else None
            empty = replace(self._mine(), targets=(), directory=None)
            self._restored = self._point(owner, self._before.routes if self._before else empty)
        return self._restored

    def _mine(self) -> Routes:
        assert self._switched is not None
        return self._switched[0]

    def _owner_of(self, served: Served) -> "FakeJournal | None":
        owned = (one for one in self.environment.journals if one.release_id == served.release_id)
        return next(owned, None)

    async def current(self) -> bool:
        return self.environment.owner is self

    async def warned(self, text: str) -> None:
        self.warnings.append(text)

    async def ended(
        self, status: Status, *, message: str = "", diagnosis: Diagnosis | None = None
    ) -> None:
        self.status, self.message, self.diagnosis = status, message, diagnosis
        closing = {Status.CANCELED: Outcome.CANCELED, Status.FAILED: Outcome.FAILED}
        for step, outcome in self.outcomes.items():
            self.outcomes[step] = outcome or closing.get(status, Outcome.DONE)

    async def usual(self) -> Tally:
        return self.environment.usual

    async def measured(self, facts: Mapping[str, Any]) -> None:
        self.evidence = facts

    async def watched(self, facts: Mapping[str, Any]) -> None:
        self.watch = facts

    async def settled(self) -> None:
        self.is_settled = True
