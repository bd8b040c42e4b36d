"""Rows of running copies: allocated before they start, freed when they are gone."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.host import Host
from autostack.engine import facts
from autostack.engine.ports import Wanted
from autostack.engine.release import InstanceState, Observation
from autostack.features.instances import repository
from autostack.features.instances.places import Seat, next_seat
from autostack.models.deployment import Deployment
from autostack.models.instance import Instance

ONCE = frozenset({"release"})
"""Process names that run to their end; nobody starts them again."""


async def allocate(
    session: AsyncSession,
    deployment: Deployment,
    wanted: Sequence[Wanted],
    *,
    release_id: UUID,
    host: Host,
    runtime: str,
    now: datetime,
) -> list[Instance]:
    """A row for each, with what is unique; those that were asked for before are given again."""
    await repository.lock_allocation(session)
    known = {
        (row.process, row.index): row
        for row in await repository.of_deployment(session, deployment.id)
    }
    seats, seat = await _seats(session)
    rows: list[Instance] = []
    for one in wanted:
        row = known.get((one.process, one.index))
        if row is None or row.freed_at is not None:
            seat = next_seat(host, seats, seat)
            seats.append(seat)
            row = _seated(row or _row(deployment, one, release_id, runtime, now), seat)
            session.add(row)
        rows.append(row)
    await session.flush()
    return rows


async def allocate_once(
    session: AsyncSession, row: Instance, *, host: Host, now: datetime
) -> Instance:
    """What is unique for a command that no deployment runs; `row` says all else."""
    await repository.lock_allocation(session)
    seats, last = await _seats(session)
    row.wanted, row.created_at = False, now
    session.add(_seated(row, next_seat(host, seats, last)))
    await session.flush()
    return row


async def _seats(session: AsyncSession) -> tuple[list[Seat], Seat | None]:
    """All that are taken, and the one given last."""
    last = await repository.latest(session)
    seat = Seat(last.uid, last.address, last.port) if last else None
    return [Seat(*seat) for seat in await repository.taken(session)], seat


def _row(
    deployment: Deployment, one: Wanted, release_id: UUID, runtime: str, now: datetime
) -> Instance:
    return Instance(
        environment_id=deployment.environment_id,
        deployment_id=deployment.id,
        release_id=release_id,
        process=one.process,
        index=one.index,
        runtime=runtime,
        command=list(one.command),
        wanted=one.process not in ONCE,
        created_at=now,
    )


def _seated(row: Instance, seat: Seat) -> Instance:
    row.uid, row.address, row.port = seat.uid, seat.address, seat.port
    row.freed_at, row.state = None, InstanceState.STARTING
    return row


async def adopt(
    session: AsyncSession,
    deployment: Deployment,
    *,
    release_id: UUID,
    seats: Sequence[tuple[str, int]],
) -> None:
    """Living ones of this release that are kept for another deployment become this one's."""
    rows = await lock(session, deployment.environment_id)
    mine = {(row.process, row.index) for row in rows if row.deployment_id == deployment.id}
    for row in rows:
        seat = (row.process, row.index)
        kept = row.freed_at is None and row.wanted and row.release_id == release_id
        if kept and seat in seats and seat not in mine:
            row.adopted_from, row.deployment_id = row.deployment_id, deployment.id
            mine.add(seat)
    await session.flush()


async def give_back(session: AsyncSession, deployment: Deployment) -> None:
    for row in await lock(session, deployment.environment_id):
        if row.deployment_id == deployment.id and row.adopted_from is not None:
            row.deployment_id, row.adopted_from = row.adopted_from, None
    await session.flush()


async def lock(session: AsyncSession, environment_id: UUID) -> Sequence[Instance]:
    """Every living one of an environment, newest first; nobody else changes whose they are."""
    return await repository.locked(session, environment_id)


async def of_deployment(session: AsyncSession, deployment_id: UUID) -> Sequence[Instance]:
    """Living ones only."""
    rows = await repository.of_deployment(session, deployment_id)
    return [row for row in rows if row.freed_at is None]


async def ever(session: AsyncSession, environment_id: UUID) -> Sequence[UUID]:
    """Every instance there ever was, freed or not."""
    return await repository.ever(session, environment_id)


async def living(session: AsyncSession, environment_id: UUID) -> Sequence[Instance]:
    return await repository.living(session, environment_id)


async def all_living(session: AsyncSession) -> Sequence[Instance]:
    return await repository.all_living(session)


async def by_ids(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Instance]:
    return await repository.by_ids(session, ids)


async def reached(session: AsyncSession, addresses: Mapping[UUID, str]) -> None:
    for instance_id, address in addresses.items():
        await session.execute(
            update(Instance).where(Instance.id == instance_id).values(reached_at=address)
        )


async def free(session: AsyncSession, ids: Sequence[UUID], *, now: datetime) -> None:
    await repository.free(session, ids, now=now)


async def observe(session: AsyncSession, seen: Observation, *, now: datetime) -> None:
    """What the worker's loop saw; pages read nothing else."""
    await session.execute(
        update(Instance)
        .where(Instance.id == seen.id, Instance.freed_at.is_(None))
        .values(
            state=seen.state,
            restarts=seen.restarts,
            memory=seen.memory,
            exit=facts.dump(seen.exit) if seen.exit else None,
            observed_at=now,
        )
    )
