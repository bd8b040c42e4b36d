"""The worker's part of a plan: fetch, look, answer. Nothing of the fetch is kept."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from autostack.core.clock import Clock
from autostack.core.crypto import Opener
from autostack.core.db import Database
from autostack.core.errors import AutostackError
from autostack.engine.errors import StepTimedOut
from autostack.engine.order import Tools
from autostack.engine.plan import Overrides, Plan
from autostack.engine.ports import LogSink
from autostack.engine.release import Repository, Step
from autostack.features.plans import service
from autostack.features.projects import service as projects

logger = logging.getLogger(__name__)

LIMIT = timedelta(seconds=55)
"""Whoever asked waits for a minute."""

Forget = Callable[[UUID], Awaitable[None]]


class Silent(LogSink):
    """Nobody follows a plan while it is made."""

    def say(self, text: str, *, step: Step, level: str = "info") -> None:
        pass

    def output(self, data: bytes, *, step: Step) -> None:
        pass


async def make(
    db: Database,
    tools: Tools,
    request_id: UUID,
    *,
    opener: Opener,
    clock: Clock,
    forget: Forget,
) -> None:
    async with db.transaction() as session:
        request = await service.load(session, request_id)
        if request is None:
            return
        repository = Repository(
            key=request_id,
            url=request.repo_url,
            ref=request.branch,
            credential=await projects.credential_for(
                session, request.user_id, request.repo_url, opener
            ),
        )
        overrides = Overrides(root=request.root)
    try:
        answer = await _answer(tools, repository, overrides)
    finally:
        await forget(request_id)
    async with db.transaction() as session:
        await service.answer(session, request_id, answer, now=clock())


async def _answer(
    tools: Tools, repository: Repository, overrides: Overrides
) -> Plan | AutostackError:
    try:
        async with asyncio.timeout(LIMIT.total_seconds()):
            checkout = await tools.source.fetch(repository, log=Silent())
            return await asyncio.to_thread(tools.detect, checkout.tree, overrides, frozenset[str]())
    except TimeoutError:
        return StepTimedOut(Step.FETCH, LIMIT.total_seconds())
    except AutostackError as error:
        return error
