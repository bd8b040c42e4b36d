"""What is left of an environment or a project that its users removed: ended, then forgotten."""

import asyncio
import logging
import shutil
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from autostack.core.home import Home
from autostack.core.logs import hiding, places
from autostack.core.logs.deployment import archive_of
from autostack.engine import facts
from autostack.engine.release import Artifact
from autostack.features.accounts import service as accounts
from autostack.features.deployments.journal import work
from autostack.features.deployments.tasks import Works
from autostack.features.environments import service as environments
from autostack.features.instances import service as instances
from autostack.features.projects import service as projects
from autostack.models.environment import Environment
from autostack.models.project import Project

logger = logging.getLogger(__name__)

WAIT = timedelta(minutes=2)
LOOK = 0.2
AGAIN = timedelta(minutes=5)


class StillAtWork(Exception):
    """A deployment there has not ended yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """What an environment left on the machine."""

    instances: tuple[UUID, ...]
    printed: tuple[UUID, ...]
    """Every instance there ever was: their logs may still be kept."""
    artifacts: tuple[Artifact, ...]
    deployments: tuple[UUID, ...]
    generation: int


async def sweep(works: Works) -> None:
    """Nothing that was asked to go stays: a removal may fail, as while a database is away."""
    before = works.site.clock() - AGAIN
    async with works.db.transaction() as session:
        await projects.remove_again(session, before=before)
        await environments.remove_again(session, before=before)
        await accounts.purge(session)


async def remove_project(works: Works, project_id: UUID) -> None:
    """Every environment, then the source and caches, then the rows."""
    async with works.db.transaction() as session:
        ids = await work.environments_of(session, project_id)
    for environment_id in ids:
        await _clear(works, environment_id)
    await works.forget(project_id)
    await asyncio.to_thread(_remove_caches, works.site.home, project_id)
    async with works.db.transaction() as session:
        found = await session.get(Project, project_id)
        if found is not None and found.removed_at is not None:
            await session.delete(found)
            await session.flush()
            await accounts.purge(session)


async def remove_environment(works: Works, environment_id: UUID) -> None:
    await _clear(works, environment_id)
    async with works.db.transaction() as session:
        found = await session.get(Environment, environment_id)
        if found is not None and found.removed_at is not None:
            await session.delete(found)


async def _clear(works: Works, environment_id: UUID) -> None:
    """The order matters: nothing is routed to what is ended, nothing new comes meanwhile."""
    await _until_nothing_is_at_work(works, environment_id)
    remains = await _remains(works, environment_id)
    await works.tools.router.remove(environment_id, generation=remains.generation)
    grace = works.tools.pace.stop
    await asyncio.gather(*(works.tools.runtime.stop(one, grace=grace) for one in remains.instances))
    for artifact in remains.artifacts:
        await works.tools.builder.remove(artifact)
    await _remove_logs(works.site.home, remains)
    async with works.db.transaction() as session:
        await instances.free(session, remains.instances, now=works.site.clock())


async def _until_nothing_is_at_work(works: Works, environment_id: UUID) -> None:
    rounds = int(WAIT.total_seconds() / LOOK)
    for _ in range(rounds):
        async with works.db.transaction() as session:
            if not await work.call_off(session, environment_id, now=works.site.clock()):
                return
        await asyncio.sleep(LOOK)
    raise StillAtWork


async def _remains(works: Works, environment_id: UUID) -> Remains:
    async with works.db.transaction() as session:
        rows = await instances.living(session, environment_id)
        releases = await work.all_releases(session, environment_id)
        return Remains(
            instances=tuple(row.id for row in rows),
            printed=tuple(await instances.ever(session, environment_id)),
            artifacts=tuple(facts.load(Artifact, one.artifact) for one in releases),
            deployments=tuple(await work.all_deployments(session, environment_id)),
            generation=await work.next_generation(session, environment_id),
        )


def _remove_caches(home: Home, project_id: UUID) -> None:
    shutil.rmtree(home.caches / str(project_id), ignore_errors=True)


async def _remove_logs(home: Home, remains: Remains) -> None:
    await asyncio.to_thread(_remove_outputs, home, remains)
    # The collector may be in the middle of reading one; then it keeps what it has read.
    await asyncio.sleep(LOOK)
    await asyncio.to_thread(_remove_segments, home, remains)


def _remove_outputs(home: Home, remains: Remains) -> None:
    for one in remains.deployments:
        path = home.deployment_output(one)
        path.unlink(missing_ok=True)
        archive_of(path).unlink(missing_ok=True)
    for one in remains.printed:
        home.instance_output(one).unlink(missing_ok=True)
        hiding.remove(str(home.instance_output(one)))


def _remove_segments(home: Home, remains: Remains) -> None:
    for one in remains.printed:
        folder = f"{places.instance_segments(str(home.root))}/{one}"
        shutil.rmtree(folder, ignore_errors=True)
