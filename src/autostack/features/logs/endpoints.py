import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.accounts.errors import NotSignedIn
from autostack.features.deployments import service as deployments
from autostack.features.deployments.errors import DeploymentNotFound, EnvironmentUnknown
from autostack.features.logs import follow, service
from autostack.features.logs.deps import Asked, Filter, Reading, ReadingValue
from autostack.features.logs.errors import LogPlaceInvalid
from autostack.features.logs.merge import Spring
from autostack.features.logs.schemas import DeploymentLog, RuntimeLog
from autostack.features.runs import service as runs
from autostack.features.runs.errors import RunNotFound
from autostack.features.teams.deps import router as routes
from autostack.web.problems import problems

router = routes("logs")

_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}


@router.get(
    "/deployments/{deployment_id}/logs",
    response_model=DeploymentLog,
    responses=problems(NotSignedIn, DeploymentNotFound, LogPlaceInvalid) | _STREAM,
)
async def read_deployment_log(
    deployment_id: UUID,
    reading: Reading,
    asked: Asked,
    until: Literal["finished", "settled"] = "finished",
) -> DeploymentLog | StreamingResponse:
    """From the beginning, in pages; or live with `Accept: text/event-stream`, until the
    deployment is finished (or settled: drain, watch and retire too) and an `end` event says so.
    """

    async def status(session: AsyncSession) -> str | None:
        found = await deployments.get(session, deployment_id, reader=reading.user)
        return service.how_it_ended(found, until=until)

    return await _written(reading, asked, reading.home.deployment_output(deployment_id), status)


@router.get(
    "/runs/{run_id}/logs",
    response_model=DeploymentLog,
    responses=problems(NotSignedIn, RunNotFound, LogPlaceInvalid) | _STREAM,
)
async def read_run_log(
    run_id: UUID, reading: Reading, asked: Asked
) -> DeploymentLog | StreamingResponse:
    """What a command printed, in pages; or live with `Accept: text/event-stream`, until it is
    over and an `end` event says how.
    """

    async def status(session: AsyncSession) -> str | None:
        return runs.how_it_ended(await runs.get(session, run_id, reader=reading.user))

    return await _written(reading, asked, reading.home.run_output(run_id), status)


async def _written(
    reading: ReadingValue,
    asked: service.Asked,
    path: Path,
    status: Callable[[AsyncSession], Awaitable[str | None]],
) -> DeploymentLog | StreamingResponse:
    """A log of its own file. `status` says how it ended, and raises for what is not the
    reader's.
    """
    await reading.once(status)
    if reading.live:
        place = await asyncio.to_thread(service.deployment_start, path, asked)
        return reading.stream(
            follow.deployment(reading.asking(status), path, place, batch=reading.batch)
        )
    items, cursor = await asyncio.to_thread(service.deployment_page, path, asked)
    return DeploymentLog(items=items, next_cursor=cursor)


@router.get(
    "/environments/{environment_id}/logs",
    response_model=RuntimeLog,
    responses=problems(NotSignedIn, EnvironmentUnknown, LogPlaceInvalid) | _STREAM,
)
async def read_environment_log(
    environment_id: UUID, reading: Reading, asked: Asked, which: Filter
) -> RuntimeLog | StreamingResponse:
    """What its instances printed, merged by time: in pages from the oldest line on, from `since`
    on, in front of `before`, or the last `tail`; or live with `Accept: text/event-stream`, behind
    the last `tail` lines.
    """
    wanted = replace(asked, since=which.since)

    async def springs(session: AsyncSession) -> Sequence[Spring]:
        await deployments.environment(session, environment_id, reader=reading.user)
        return await service.springs(session, reading.home, environment_id, which)

    found = await reading.once(springs)
    if reading.live:
        begin = await asyncio.to_thread(service.runtime_start, found, wanted)
        return reading.stream(
            follow.environment(reading.asking(springs), begin, reading.clock, batch=reading.batch)
        )
    items, cursor = await asyncio.to_thread(service.runtime_page, found, wanted)
    return RuntimeLog(items=items, next_cursor=cursor)
