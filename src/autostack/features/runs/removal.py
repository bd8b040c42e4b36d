"""Runs of what its users removed: ended, and their logs forgotten. Their rows go with it."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from autostack.core.home import Home
from autostack.core.logs.deployment import archive_of
from autostack.features.deployments.removal import LOOK, WAIT, StillAtWork
from autostack.features.deployments.tasks import Works
from autostack.features.runs import service


async def clear_project(works: Works, project_id: UUID) -> None:
    async with works.db.transaction() as session:
        environments = await service.environments_of(session, project_id)
    await clear(works, environments)


async def clear(works: Works, environments: Sequence[UUID]) -> None:
    await _until_nothing_runs(works, environments)
    async with works.db.transaction() as session:
        runs = await service.all_of(session, environments)
    await asyncio.to_thread(_remove_logs, works.site.home, runs)


async def _until_nothing_runs(works: Works, environments: Sequence[UUID]) -> None:
    for _ in range(int(WAIT.total_seconds() / LOOK)):
        async with works.db.transaction() as session:
            if not await service.call_off(session, environments, now=works.site.clock()):
                return
        await asyncio.sleep(LOOK)
    raise StillAtWork


def _remove_logs(home: Home, runs: Sequence[UUID]) -> None:
    for one in runs:
        path = home.run_output(one)
        path.unlink(missing_ok=True)
        archive_of(path).unlink(missing_ok=True)
