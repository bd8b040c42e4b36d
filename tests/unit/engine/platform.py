"""A platform of fakes around the real engine."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from autostack.engine.gauge import Gauge
from autostack.engine.order import Goal, Made, Order, Pace, Tools
from autostack.engine.pipeline import deploy
from autostack.engine.plan import Check, Family, Overrides, Plan, Process
from autostack.engine.release import Repository, Status, WatchRule
from autostack.engine.settle import settle
from tests.fakes import (
    FakeBuilder,
    FakeEnvironment,
    FakeJournal,
    FakeLog,
    FakeProbe,
    FakeRouter,
    FakeRuntime,
    FakeSource,
)

WEB = Process(name="web", command=("serve",), check=Check(grace=0.2, interval=0.01))
WORKER = Process(name="worker", command=("work",))
PLAN = Plan(family=Family.PYTHON, processes=(WEB,))
FAST = Pace(
    probe=0.005,
    listeners=0.02,
    stable=0.01,
    look=0.01,
    judge=0.005,
    watch=timedelta(seconds=0.03),
    stop=timedelta(seconds=1),
)


@dataclass
class Platform:
    """One environment, and everything its deployments act upon."""

    home: Path
    plan: Plan = PLAN
    env: dict[str, str] = field(default_factory=dict[str, str])
    runtime: FakeRuntime = field(default_factory=FakeRuntime)
    router: FakeRouter = field(default_factory=FakeRouter)
    probe: FakeProbe = field(default_factory=FakeProbe)
    builder: FakeBuilder = field(default_factory=FakeBuilder)
    log: FakeLog = field(default_factory=FakeLog)
    environment: FakeEnvironment = field(default_factory=FakeEnvironment)
    printed: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    scale: dict[str, int] = field(default_factory=dict[str, int])
    watch: WatchRule = field(default_factory=WatchRule)
    gauge: Gauge = field(default_factory=lambda: Gauge(monotonic=time.monotonic))

    def __post_init__(self) -> None:
        self.source = FakeSource(self.home)

    def detect(self, tree: Path, overrides: Overrides, names: frozenset[str]) -> Plan:
        return self.plan

    async def tail(self, instance_id: UUID) -> Sequence[str]:
        return self.printed

    @property
    def tools(self) -> Tools:
        return Tools(
            source=self.source,
            detect=self.detect,
            builder=self.builder,
            runtime=self.runtime,
            router=self.router,
            probe=self.probe,
            open_log=lambda _id, _secrets: self.log,
            tail=self.tail,
            pace=FAST,
            gauge=self.gauge,
            cautions=lambda: self.cautions,
        )

    def journal(self) -> FakeJournal:
        return FakeJournal(self.environment)

    def order(
        self,
        *,
        goal: Goal = Goal.DEPLOY,
        reuse: Made | None = None,
        id: UUID | None = None,  # noqa: A002
    ) -> Order:
        return Order(
            id=id or uuid4(),
            project_id=uuid4(),
            environment_id=self.environment.id,
            goal=goal,
            repository=Repository(key=uuid4(), url="https://example.com/shop.git"),
            env=self.env,
            scale=self.scale,
            reuse=reuse,
            watch=self.watch,
            build_uid=1000,
        )

    async def made(self, journal: FakeJournal) -> Made:
        artifact = next(iter(self.builder.artifacts.values()))
        return Made(id=journal.release_id, plan=self.plan, artifact=artifact)

    async def live(self) -> FakeJournal:
        """Deploy, settle, and give the journal back."""
        journal = self.journal()
        order = self.order(id=journal.deployment_id)
        assert await deploy(order, self.tools, journal) is Status.SUCCESS
        assert await self.settle(journal) is Status.SUCCESS
        return journal

    async def settle(self, journal: FakeJournal) -> Status:
        order = self.order(reuse=await self.made(journal), id=journal.deployment_id)
        return await settle(order, self.tools, journal)

    @property
    def serving(self) -> tuple[str, ...]:
        return self.router.routes[self.environment.id].targets


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - the engine has no event for this moment
            await asyncio.sleep(0)
