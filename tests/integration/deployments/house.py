"""A real database, and deployments carried out on it with fakes for the machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import select

from autostack.core.clock import utc_now
from autostack.core.db import Database
from autostack.core.home import Home
from autostack.core.host import Host
from autostack.engine import facts
from autostack.engine.order import Goal, Made, Order, Pace, Tools
from autostack.engine.pipeline import deploy
from autostack.engine.plan import Check, Family, Overrides, Plan, Process
from autostack.engine.release import Artifact, Repository, Status
from autostack.engine.settle import settle
from autostack.features.deployments import service
from autostack.features.deployments.journal import PostgresJournal, Site, Snapshot, work
from autostack.models.deployment import Deployment, Kind
from autostack.models.environment import Environment
from autostack.models.instance import Instance
from autostack.models.project import Project
from autostack.models.release import Release
from autostack.models.route import Route
from autostack.models.step import Step
from autostack.models.team import Team
from tests.fakes import FakeBuilder, FakeLog, FakeProbe, FakeRouter, FakeRuntime, FakeSource

WEB = Process(name="web", command=("serve",), check=Check(grace=1, interval=0.01))
WORKER = Process(name="worker", command=("work",))
PLAN = Plan(family=Family.PYTHON, processes=(WEB, WORKER), release_command=("migrate",))
HOST = Host(bridge="as0", subnet="10.9.0.0/24", first_uid=1_900_000_000)
FAST = Pace(
    probe=0.005,
    stable=0.001,
    look=0.01,
    watch=timedelta(seconds=0.02),
    stop=timedelta(seconds=1),
)


@dataclass
class House:
    """One project with one environment on a database of its own."""

    db: Database
    root: Path
    project: Project
    environment: Environment
    plan: Plan = PLAN
    runtime: FakeRuntime = field(default_factory=FakeRuntime)
    router: FakeRouter = field(default_factory=FakeRouter)
    probe: FakeProbe = field(default_factory=FakeProbe)
    builder: FakeBuilder = field(default_factory=FakeBuilder)
    log: FakeLog = field(default_factory=FakeLog)
    printed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.source = FakeSource(self.root / "trees")

    @property
    def site(self) -> Site:
        return Site(
            home=Home(self.root),
            host=HOST,
            runtime="process",
            clock=utc_now,
            address=service.Address(edge_port=8080),
            open=self._open,
            patience=timedelta(seconds=5),
            poll=timedelta(milliseconds=20),
        )

    def _open(self, environment_id: UUID, sealed: bytes) -> Mapping[str, str]:
        return {"FROM": sealed.decode()}

    async def _tail(self, instance_id: UUID) -> Sequence[str]:
        return self.printed

    def _detect(self, tree: Path, overrides: Overrides, names: frozenset[str]) -> Plan:
        return self.plan

    @property
    def tools(self) -> Tools:
        return Tools(
            source=self.source,
            detect=self._detect,
            builder=self.builder,
            runtime=self.runtime,
            router=self.router,
            probe=self.probe,
            open_log=lambda _id, _secrets: self.log,
            tail=self._tail,
            pace=FAST,
        )

    async def request(self, kind: Kind = Kind.DEPLOY) -> UUID:
        async with self.db.transaction() as session:
            project = await session.get_one(Project, self.project.id)
            environment = await session.get_one(Environment, self.environment.id)
            if kind is Kind.DEPLOY:
                made = await service.request(session, project, environment, now=utc_now(), by=None)
            else:
                made = await service.again(
                    session, project, environment, kind=kind, now=utc_now(), by=None
                )
        return made.id

    async def claim(self, deployment_id: UUID, worker: str = "one") -> UUID | None:
        async with self.db.transaction() as session:
            return await work.claim(session, deployment_id, worker=worker)

    async def claim_settle(self, deployment_id: UUID) -> UUID | None:
        async with self.db.transaction() as session:
            return await work.claim_settle(session, deployment_id, worker="one")

    async def die(self, worker: str = "one") -> None:
        """The worker is gone and known to be dead: its leases end."""
        async with self.db.transaction() as session:
            await work.release_leases_of(session, worker)

    def journal(self, deployment_id: UUID, lease: UUID) -> PostgresJournal:
        return PostgresJournal(
            self.db,
            self.site,
            deployment_id=deployment_id,
            lease=lease,
            snapshot=Snapshot(sealed=b"snapshot"),
        )

    async def order(self, deployment_id: UUID, *, settling: bool = False) -> Order:
        row = await self.row(deployment_id)
        reuse = None
        if row.release_id and (settling or row.kind is not Kind.DEPLOY):
            async with self.db.transaction() as session:
                release = await session.get_one(Release, row.release_id)
            reuse = Made(
                id=release.id,
                plan=facts.load(Plan, release.plan),
                artifact=facts.load(Artifact, release.artifact),
            )
        return Order(
            id=deployment_id,
            project_id=self.project.id,
            environment_id=self.environment.id,
            goal=Goal(row.kind.value),
            repository=Repository(key=self.project.id, url=self.project.repo_url),
            reuse=reuse,
            build_uid=1,
        )

    async def run(self, deployment_id: UUID, journal: PostgresJournal | None = None) -> Status:
        if journal is None:
            lease = await self.claim(deployment_id)
            assert lease is not None
            journal = self.journal(deployment_id, lease)
        return await deploy(await self.order(deployment_id), self.tools, journal)

    async def settle(self, deployment_id: UUID) -> Status:
        lease = await self.claim_settle(deployment_id)
        assert lease is not None
        order = await self.order(deployment_id, settling=True)
        return await settle(order, self.tools, self.journal(deployment_id, lease))

    async def live(self) -> UUID:
        deployment_id = await self.request()
        assert await self.run(deployment_id) is Status.SUCCESS
        assert await self.settle(deployment_id) is Status.SUCCESS
        return deployment_id

    async def row(self, deployment_id: UUID) -> Deployment:
        async with self.db.transaction() as session:
            return await session.get_one(Deployment, deployment_id)

    async def latest(self) -> Deployment:
        async with self.db.transaction() as session:
            query = select(Deployment).order_by(Deployment.number.desc()).limit(1)
            return (await session.scalars(query)).one()

    async def steps(self, deployment_id: UUID) -> Sequence[Step]:
        async with self.db.transaction() as session:
            query = select(Step).where(Step.deployment_id == deployment_id)
            return (await session.scalars(query.order_by(Step.started_at))).all()

    async def living(self) -> Sequence[Instance]:
        async with self.db.transaction() as session:
            query = select(Instance).where(Instance.freed_at.is_(None))
            return (await session.scalars(query)).all()

    async def route(self) -> Route:
        async with self.db.transaction() as session:
            return await session.get_one(Route, self.environment.id)

    @property
    def serving(self) -> tuple[str, ...]:
        return self.router.routes[self.environment.id].targets


async def build(db: Database, root: Path) -> House:
    now = utc_now()
    team = Team(id=uuid4(), name="Ada", created_at=now)
    project = Project(
        id=uuid4(),
        team_id=team.id,
        name="shop",
        slug="shop",
        repo_url="https://example.com/shop.git",
        created_at=now,
        updated_at=now,
    )
    environment = Environment(
        id=uuid4(),
        project_id=project.id,
        name="production",
        hostname="shop",
        loopback="127.18.3.7",
        created_at=now,
    )
    for row in (team, project, environment):
        async with db.transaction() as session:
            session.add(row)
    return House(db=db, root=root, project=project, environment=environment)
