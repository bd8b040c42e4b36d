"""The worker's part of a plan: fetch, look, answer. Nothing of the fetch is kept."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
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
from autostack.features.plans.errors import PlanFailed
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
        asker = request.user_id
        repository = Repository(key=request_id, url=request.repo_url, ref=request.branch)
        overrides = Overrides(root=request.root)

    async def opened() -> Repository:
        async with db.transaction() as session:
            found = await projects.credential_for(session, asker, repository.url, opener)
        return replace(repository, credential=found)

    try:
        answer = await _answer(tools, opened, overrides)
    finally:
        await forget(request_id)
    async with db.transaction() as session:
        await service.answer(session, request_id, answer, now=clock())


async def _answer(
    tools: Tools, opened: Callable[[], Awaitable[Repository]], overrides: Overrides
) -> Plan | AutostackError:
    try:
        async with asyncio.timeout(LIMIT.total_seconds()):
            checkout = await tools.source.fetch(await opened(), log=Silent())
            return await asyncio.to_thread(tools.detect, checkout.tree, overrides, frozenset[str]())
    except TimeoutError:
        return StepTimedOut(Step.FETCH, LIMIT.total_seconds())
    except AutostackError as error:
        return error
    except Exception:
        logger.exception("a plan could not be made")
        return PlanFailed()
