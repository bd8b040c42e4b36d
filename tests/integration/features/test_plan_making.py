"""The worker's side of a plan: what is fetched is looked at, answered and forgotten."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from autostack.core.crypto import Opener, generate
from autostack.core.db import Database
from autostack.engine.errors import BranchNotFound
from autostack.engine.order import Tools
from autostack.engine.plan import Overrides, Plan
from autostack.features.plans import tasks
from autostack.models.plan import PlanRequest
from autostack.models.user import User
from tests.clock import FakeClock
from tests.integration.deployments.house import PLAN, House, build


@dataclass
class Asked:
    """One question that waits, and the tools it will be answered with."""

    db: Database
    house: House
    clock: FakeClock
    id: UUID = field(default_factory=uuid4)
    forgotten: list[UUID] = field(default_factory=list[UUID])
    looked_with: list[Overrides] = field(default_factory=list[Overrides])

    def detect(self, tree: Path, overrides: Overrides, names: frozenset[str]) -> Plan:
        self.looked_with.append(overrides)
        return PLAN

    async def forget(self, key: UUID) -> None:
        self.forgotten.append(key)

    async def answer(self, tools: Tools | None = None) -> PlanRequest:
        tools = tools or replace(self.house.tools, detect=self.detect)
        await self.make(tools)
        return await self.row()

    async def make(self, tools: Tools) -> None:
        opener = Opener([generate()[0]])
        await tasks.make(
            self.db, tools, self.id, opener=opener, clock=self.clock, forget=self.forget
        )

    async def row(self) -> PlanRequest:
        async with self.db.transaction() as session:
            return await session.get_one(PlanRequest, self.id)


@pytest.fixture
async def asked(db: Database, tmp_path: Path, clock: FakeClock) -> Asked:
    made = Asked(db, await build(db, tmp_path), clock)
    email, now = "ada@example.com", clock()
    user = User(id=uuid4(), email=email, email_key=email, created_at=now, updated_at=now)
    question = PlanRequest(
        id=made.id,
        user_id=user.id,
        repo_url="https://example.com/shop.git",
        branch="main",
        root="web",
        created_at=clock(),
    )
    for row in (user, question):
        async with db.transaction() as session:
            session.add(row)
    return made


async def test_a_plan_is_kept_for_whoever_asked_and_the_source_forgotten(asked: Asked) -> None:
    row = await asked.answer()

    assert row.plan is not None
    assert row.plan["family"] == "python"
    assert row.problem is None
    assert row.answered_at == asked.clock()
    assert asked.forgotten == [asked.id]
    assert [overrides.root for overrides in asked.looked_with] == ["web"]


async def test_why_there_is_no_plan_is_an_answer_too(asked: Asked) -> None:
    asked.house.source.failure = BranchNotFound("main")

    row = await asked.answer()

    assert row.plan is None
    assert row.problem is not None
    assert row.problem["code"] == "branch_not_found"
    assert asked.forgotten == [asked.id]


async def test_a_failure_of_our_own_is_answered_at_once_and_not_blamed_on_anyone(
    asked: Asked,
) -> None:
    def broken(*_: object) -> Plan:
        raise ZeroDivisionError

    row = await asked.answer(replace(asked.house.tools, detect=broken))

    assert row.problem is not None
    assert row.problem["code"] == "plan_failed"
    assert asked.forgotten == [asked.id]


async def test_a_question_answered_before_is_not_asked_of_the_repository_again(
    asked: Asked,
) -> None:
    await asked.answer()

    await asked.answer()

    assert len(asked.looked_with) == 1


async def test_a_question_nobody_remembers_is_nothing(asked: Asked) -> None:
    asked.id = uuid4()

    await asked.make(asked.house.tools)

    assert asked.forgotten == []
