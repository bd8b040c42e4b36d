"""What is stored, who needs it, and what was decided to go. Marked in the rows first, removed
then: what a kill -9 leaves in between is found by `orphans` and removed later.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.space import Space
from autostack.engine import facts
from autostack.engine.keep import Stored, dispensable, surplus
from autostack.engine.release import Artifact
from autostack.features.disk import repository
from autostack.features.disk.errors import AdministratorOnly
from autostack.features.disk.forecast import WINDOW, Sample, forecast
from autostack.features.disk.schemas import DiskForecast, ProjectDisk, ServerDisk
from autostack.features.events import service as events
from autostack.models.disk_usage import DiskUsage
from autostack.models.project import Project
from autostack.models.release import Release
from autostack.models.user import User

SHOWN = 100
"""Projects that one answer lists."""


async def give_up(
    session: AsyncSession, environment_id: UUID, *, keep: int, now: datetime
) -> list[Artifact]:
    """Mark what is beyond the newest `keep` as removed; whose builds may go once this commits."""
    if not surplus(await repository.shelf(session, environment_id), keep=keep):
        return []
    await repository.hold(session, environment_id)
    doomed = surplus(await repository.shelf(session, environment_id), keep=keep)
    return await _mark(session, environment_id, doomed, now=now)


async def give_up_oldest(
    session: AsyncSession, environment_id: UUID, *, now: datetime
) -> list[Artifact]:
    """Mark the oldest that is not needed: one at a time, until there is room."""
    await repository.hold(session, environment_id)
    doomed = dispensable(await repository.shelf(session, environment_id))[:1]
    return await _mark(session, environment_id, doomed, now=now)


async def _mark(
    session: AsyncSession, environment_id: UUID, doomed: Sequence[Stored], *, now: datetime
) -> list[Artifact]:
    if not doomed:
        return []
    marked = await repository.mark(session, [one.id for one in doomed], now=now)
    await _tell(session, environment_id, marked, now=now)
    return [facts.load(Artifact, one.artifact) for one in marked]


async def _tell(
    session: AsyncSession, environment_id: UUID, marked: Sequence[Release], *, now: datetime
) -> None:
    project = await repository.owner(session, environment_id)
    if project is None or not marked:
        return
    await events.emit(
        session,
        "release.removed",
        now=now,
        team_id=project.team_id,
        project_id=project.id,
        data={"numbers": sorted(one.number for one in marked)},
    )


async def crowded(session: AsyncSession, *, keep: int) -> Mapping[UUID, int]:
    """Environments that store more than that, and how many."""
    return await repository.crowded(session, more_than=keep)


async def busy(session: AsyncSession) -> frozenset[UUID]:
    return await repository.busy(session)


async def oldest_first(session: AsyncSession) -> list[UUID]:
    """Environments that can give something up: one for each release, by its age."""
    place: dict[UUID, UUID] = {}
    for environment_id in await repository.all_environments(session):
        shelf = await repository.shelf(session, environment_id)
        place.update({one.id: environment_id for one in dispensable(shelf)})
    ages = await repository.created(session, list(place))
    return [place[one] for one in sorted(ages, key=lambda found: ages[found])]


async def orphans(session: AsyncSession, stored: Sequence[Artifact]) -> list[Artifact]:
    """Builds of deployments that are over, which no release stores: it was canceled or failed
    before it became one, or was marked as removed by a worker that was killed then. What this
    database knows nothing of is not ours to remove.
    """
    ids = [UUID(one.id) for one in stored]
    over = await repository.settled(session, ids)
    kept = await repository.stored_artifacts(session, ids)
    return [one for one in stored if UUID(one.id) in over and UUID(one.id) not in kept]


async def has_images(session: AsyncSession) -> bool:
    return await repository.has_images(session)


async def idle_projects(session: AsyncSession) -> Sequence[UUID]:
    return await repository.idle_projects(session)


async def forgotten(session: AsyncSession, keys: Sequence[UUID]) -> frozenset[UUID]:
    return await repository.unknown(session, keys)


async def over(session: AsyncSession, instance_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Instances that no living row names."""
    return await repository.strangers(session, instance_ids)


async def owners(
    session: AsyncSession, *, deployments: Sequence[UUID], instances: Sequence[UUID]
) -> Mapping[UUID, UUID]:
    return await repository.owners(session, deployments=deployments, instances=instances)


async def write_usage(
    session: AsyncSession, usage: Mapping[UUID, Mapping[str, int]], *, now: datetime
) -> None:
    await repository.write_usage(session, usage, now=now)


async def write_sample(
    session: AsyncSession, seen: Space, parts: Mapping[str, int], *, now: datetime
) -> None:
    await repository.write_sample(session, seen, parts, now=now)


def check_administrator(user: User) -> None:
    if not user.is_admin:
        raise AdministratorOnly


async def of_project(session: AsyncSession, project: Project) -> ProjectDisk:
    return _shown(project, await repository.usage_of(session, project.id))


async def of_server(session: AsyncSession, seen: Space, *, floor: int, now: datetime) -> ServerDisk:
    rows = await repository.samples(session, since=now - WINDOW)
    samples = [Sample(at=one.measured_at, total=one.total, free=one.free) for one in rows]
    told = forecast(samples, free=seen.free)
    return ServerDisk(
        total=seen.total,
        free=seen.free,
        floor=floor,
        low=seen.free < floor,
        forecast=DiskForecast(days=told.days, rate=told.rate, words=told.words),
        parts=dict(rows[-1].parts) if rows else {},
        measured_at=rows[-1].measured_at if rows else None,
        projects=[_shown(*row) for row in await repository.largest(session, limit=SHOWN)],
    )


def _shown(project: Project, usage: DiskUsage | None) -> ProjectDisk:
    if usage is None:
        return ProjectDisk(project_id=project.id, name=project.name)
    parts = {name: int(getattr(usage, name)) for name in repository.PARTS}
    return ProjectDisk(
        project_id=project.id,
        name=project.name,
        total=sum(parts.values()),
        measured_at=usage.measured_at,
        **parts,
    )
