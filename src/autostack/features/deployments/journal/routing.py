"""Where an environment's domains lead: pointed at a deployment, and back again.

What was there before is kept in the row of the switch step, in the transaction that replaces it:
a second run after a crash finds the same past.
"""

from collections.abc import Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.clock import Clock
from autostack.engine import facts, rollout
from autostack.engine.errors import LeaseLost
from autostack.engine.plan import Plan
from autostack.engine.ports import Served
from autostack.engine.release import Artifact, Routes, Status, Step
from autostack.features.deployments import repository, step_rows
from autostack.features.deployments.service import Address
from autostack.features.instances import service as instances
from autostack.models.deployment import Deployment, Kind
from autostack.models.route import Route

T = TypeVar("T")
Past = Mapping[str, Any]


async def known(found: Awaitable[T | None]) -> T:
    """A row that foreign keys promise; gone only when its project was removed meanwhile."""
    row = await found
    if row is None:
        raise LeaseLost
    return row


class Routing:
    """Changes the route's row; each call is part of the caller's transaction."""

    def __init__(self, address: Address, clock: Clock) -> None:
        self._address = address
        self._clock = clock

    async def before(self, session: AsyncSession, row: Deployment) -> Served | None:
        """What served before the row's own switch."""
        switch = await step_rows.find(session, row.id, Step.SWITCH)
        kept = (switch.kept or {}) if switch else {}
        if "generation" in kept:
            past: Past | None = kept["before"]
        else:
            past = _pointing(await repository.route(session, row.environment_id))
        if past is None:
            return None
        living = await instances.of_deployment(session, UUID(past["deployment"]))
        return Served(
            release_id=UUID(past["release"]),
            routes=await self._routes(session, row.environment_id, past),
            instances=tuple(one.id for one in living),
        )

    async def point(
        self,
        session: AsyncSession,
        row: Deployment,
        release_id: UUID,
        targets: Sequence[str],
        directory: Path | None,
    ) -> tuple[Routes, int]:
        environment = await known(repository.environment(session, row.environment_id))
        routes = self._address.routes(environment, release_id, targets, directory)
        return routes, await self._generation(session, row, release_id, targets)

    async def _generation(
        self, session: AsyncSession, row: Deployment, release_id: UUID, targets: Sequence[str]
    ) -> int:
        route = await repository.route(session, row.environment_id, lock=True)
        switch = await known(step_rows.find(session, row.id, Step.SWITCH))
        kept = switch.kept or {}
        mine = route is not None and route.deployment_id == row.id
        if route is not None and mine and route.targets == list(targets):
            return route.generation
        past = kept["before"] if "generation" in kept else _pointing(route)
        if route is None:
            route = Route(environment_id=row.environment_id, generation=0)
            session.add(route)
        self._lead(route, release_id, row.id, targets)
        switch.kept = {**kept, "before": past, "generation": route.generation}
        return route.generation

    async def restore(self, session: AsyncSession, row: Deployment) -> tuple[Routes, int] | None:
        """Back to what was there before, unless a newer deployment has switched since."""
        switch = await step_rows.find(session, row.id, Step.SWITCH)
        kept = (switch.kept or {}) if switch else {}
        route = await repository.route(session, row.environment_id, lock=True)
        if switch is None or route is None or "generation" not in kept:
            return None
        if kept.get("restored") != route.generation:
            if route.deployment_id != row.id:
                return None
            self._lead_back(route, kept["before"])
            switch.kept = {**kept, "restored": route.generation}
        return await self.now(session, route), route.generation

    def _lead_back(self, route: Route, past: Past | None) -> None:
        """Nothing served before: the route stays this deployment's and leads nowhere."""
        if past is None:
            self._lead(route, route.release_id, route.deployment_id, ())
        else:
            release_id, deployment_id = UUID(past["release"]), UUID(past["deployment"])
            self._lead(route, release_id, deployment_id, past["targets"])

    def _lead(
        self, route: Route, release_id: UUID, deployment_id: UUID, targets: Sequence[str]
    ) -> None:
        route.release_id, route.deployment_id = release_id, deployment_id
        route.targets = list(targets)
        route.generation += 1
        route.changed_at = self._clock()

    async def now(self, session: AsyncSession, route: Route) -> Routes:
        return await self._routes(session, route.environment_id, _pointing(route) or {})

    async def _routes(self, session: AsyncSession, environment_id: UUID, past: Past) -> Routes:
        """The routes that deployment had; one that stopped, or never served, leads nowhere."""
        release_id = UUID(past["release"])
        by = await repository.get(session, UUID(past["deployment"]))
        release = await known(repository.release_of(session, release_id))
        directory = rollout.published(
            facts.load(Plan, release.plan), facts.load(Artifact, release.artifact)
        )
        if by is None or by.kind is Kind.STOP or by.status is not Status.SUCCESS:
            directory = None
        environment = await known(repository.environment(session, environment_id))
        return self._address.routes(environment, release_id, past["targets"], directory)


async def all_routes(
    session: AsyncSession, address: Address, clock: Clock
) -> list[tuple[Routes, int]]:
    """Everything the edge should be doing now."""
    routing = Routing(address, clock)
    return [
        (await routing.now(session, route), route.generation)
        for route in await repository.routes(session)
    ]


def _pointing(route: Route | None) -> Past | None:
    if route is None:
        return None
    return {
        "release": str(route.release_id),
        "deployment": str(route.deployment_id),
        "targets": list(route.targets),
    }
