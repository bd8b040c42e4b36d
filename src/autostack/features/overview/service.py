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
    rows = await repository.environments(session, projects)
    ids = [row.id for row in rows]
    serving = await repository.serving(session, ids)
    latest = await repository.latest(session, ids)
    running = await repository.instances(session, ids)
    counted = await _requests(session, projects, now=now)
    places = [
        Place(
            environment=row,
            serving=serving.get(row.id),
            latest=latest.get(row.id),
            instances=[one for one in running if one.environment_id == row.id],
        )
        for row in rows
    ]
    return {
        project: Now(
            places=[one for one in places if one.environment.project_id == project],
            requests=counted[project],
        )
        for project in projects
    }


async def _requests(
    session: AsyncSession, projects: Sequence[UUID], *, now: datetime
) -> dict[UUID, list[int]]:
    hour = timedelta(hours=1)
    last = traffic.begin(now, hour)
    hours = [last - hour * back for back in reversed(range(HOURS))]
    found = await repository.requests(session, projects, width=traffic.HOUR, after=hours[0])
    return {one: [found.get(one, {}).get(at, 0) for at in hours] for one in projects}
