"""Instance rows as the specs a runtime starts them by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.clock import Clock
from autostack.core.home import Home
from autostack.core.host import Host
from autostack.engine import facts
from autostack.engine.caps import limits_of
from autostack.engine.plan import Caps, Plan
from autostack.engine.release import Artifact, InstanceSpec, NetworkPlace
from autostack.features.deployments import repository
from autostack.features.deployments.journal.routing import known
from autostack.features.deployments.service import Address
from autostack.features.instances import service as instances
from autostack.models.environment import Environment
from autostack.models.instance import Instance
from autostack.models.release import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where this worker works, and what it allocates from. `open` reads the sealed
    configuration of an environment; it fails with words when the key is missing.
    """

    home: Home
    host: Host
    runtime: str
    """The driver that starts instances, as their rows name it."""
    clock: Clock
    address: Address
    open: Callable[[UUID, bytes], Mapping[str, str]]
    patience: timedelta = timedelta(minutes=5)
    poll: timedelta = timedelta(milliseconds=400)
    renewal: timedelta = timedelta(seconds=10)
    runtimes: Mapping[str, str] = field(default_factory=dict[str, str])
    """Drivers for kinds of artifacts that `runtime` does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The configuration a new release is made with: sealed, and the version of each variable."""

    sealed: bytes = b""
    versions: Mapping[str, int] = field(default_factory=dict[str, int])


NOTHING = Snapshot()


class Specs:
    """Made of rows only, so that an instance may be started again at any time."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def of(
        self, row: Instance, release: Release, environment: Environment, env: Mapping[str, str]
    ) -> InstanceSpec:
        plan = facts.load(Plan, release.plan)
        caps = {name: facts.load(Caps, each) for name, each in environment.limits.items()}
        return InstanceSpec(
            id=row.id,
            project_id=environment.project_id,
            environment_id=row.environment_id,
            release_id=row.release_id,
            process=row.process,
            artifact=facts.load(Artifact, release.artifact),
            command=tuple(row.command),
            env={**env, "PORT": str(row.port)},
            uid=row.uid,
            place=NetworkPlace(address=row.address, port=row.port),
            limits=limits_of(row.process, plan, caps),
            output=self._site.home.instance_output(row.id),
            hidden=tuple(env[name] for name in env if env[name] != plan.env.get(name)),
        )

    async def again(self, session: AsyncSession, ids: Sequence[UUID]) -> list[InstanceSpec]:
        return [await self._again(session, row) for row in await instances.by_ids(session, ids)]

    async def _again(self, session: AsyncSession, row: Instance) -> InstanceSpec:
        release = await known(repository.release_of(session, row.release_id))
        environment = await known(repository.environment(session, row.environment_id))
        plan = facts.load(Plan, release.plan)
        env = {**plan.env, **self._site.open(row.environment_id, release.configuration)}
        return self.of(row, release, environment, env)
