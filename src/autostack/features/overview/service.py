"""How projects stand now, in few queries: for pages that show many things at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.overview import repository
from autostack.features.traffic import service as traffic
from autostack.models.deployment import Deployment
from autostack.models.environment import Environment
from autostack.models.instance import Instance

HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One environment, and what is known of it."""

    environment: Environment
    serving: Deployment | None
    latest: Deployment | None
    instances: Sequence[Instance]


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    places: Sequence[Place]
    requests: Sequence[int]


async def look(
    session: AsyncSession, projects: Sequence[UUID], *, now: datetime
) -> dict[UUID, Now]:
    """Of projects the caller has loaded for their reader."""
    rows = await repository.places(session, projects)
    known = await repository.deployments(
        session, list({one for row in rows for one in row[1:] if one})
    )
    running = await _running(session, [row[0].id for row in rows])
    counted = await _requests(session, projects, now=now)
    places: dict[UUID, list[Place]] = {project: [] for project in projects}
    for environment, serving, latest in rows:
        places[environment.project_id].append(
            Place(
                environment=environment,
                serving=known.get(serving) if serving else None,
                latest=known.get(latest) if latest else None,
                instances=running.get(environment.id, []),
            )
        )
    return {one: Now(places=places[one], requests=counted[one]) for one in projects}


async def recent(session: AsyncSession, project_id: UUID) -> Sequence[Deployment]:
    """The newest deployments to all environments of a project the caller has loaded."""
    return await repository.newest(session, project_id)


async def _running(session: AsyncSession, places: Sequence[UUID]) -> dict[UUID, list[Instance]]:
    """By environment."""
    found: dict[UUID, list[Instance]] = {}
    for one in await repository.instances(session, places):
        found.setdefault(one.environment_id, []).append(one)
    return found


async def _requests(
    session: AsyncSession, projects: Sequence[UUID], *, now: datetime
) -> dict[UUID, list[int]]:
    hour = timedelta(hours=1)
    first = traffic.begin(now, hour) - hour * (HOURS - 1)
    return await repository.requests(
        session, projects, width=traffic.HOUR, after=first, number=HOURS
    )
