import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from autostack.core.db import Database
from autostack.core.errors import AutostackError
from autostack.engine.errors import BranchNotFound
from autostack.engine.plan import Decision, Evidence, Family, MissingVariable, Plan
from autostack.features.plans import service as plans
from tests.clock import FakeClock
from tests.integration.api.conftest import Account

ASK = {"repo_url": "https://git.example.com/ada/shop.git", "branch": "main", "root": "web"}
PROOF = Evidence(file="requirements.txt", line=3, text="flask==3.1")
PLAN = Plan(
    family=Family.PYTHON,
    framework="flask",
    decisions=(Decision(subject="framework", value="flask", evidence=PROOF),),
    missing=(MissingVariable(name="STRIPE_KEY", required=True, evidence=PROOF),),
    warnings=("No lock file.",),
)


async def answer_first(db: Database, answered: Plan | AutostackError, clock: FakeClock) -> None:
    """What the worker does: take the job, load the question, answer it."""
    while True:
        async with db.transaction() as session:
            jobs = text("select args from procrastinate_jobs where task_name = 'plan.make'")
            args = await session.scalar(jobs)
            if args is not None:
                request = await plans.load(session, UUID(args["request_id"]))
                assert request is not None
                assert (request.repo_url, request.branch) == (ASK["repo_url"], ASK["branch"])
                await plans.answer(session, request.id, answered, now=clock())
                return
        await asyncio.sleep(0.02)


async def test_a_plan_is_answered_with_its_evidence(
    ada: Account, db: Database, clock: FakeClock
) -> None:
    worker = asyncio.create_task(answer_first(db, PLAN, clock))

    answer = await ada.client.post("/projects/plan", json=ASK)
    await worker

    assert answer.status_code == 200
    body = answer.json()
    assert body["decisions"][0]["evidence"] == {
        "file": "requirements.txt",
        "line": 3,
        "text": "flask==3.1",
    }
    assert body["missing"][0]["name"] == "STRIPE_KEY"
    assert body["warnings"] == ["No lock file."]


async def test_a_problem_of_the_worker_is_answered_as_it_is(
    ada: Account, db: Database, clock: FakeClock
) -> None:
    worker = asyncio.create_task(answer_first(db, BranchNotFound("main", ("dev",)), clock))

    answer = await ada.client.post("/projects/plan", json=ASK)
    await worker

    assert (answer.status_code, answer.json()["code"]) == (422, "branch_not_found")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "dev" in answer.json()["hint"]


@pytest.mark.parametrize(
    "change", [{"repo_url": "file:///etc"}, {"branch": "--upload-pack=x"}, {"branch": "a b"}]
)
async def test_a_senseless_question_reaches_no_worker(
    ada: Account, db: Database, change: dict[str, str]
) -> None:
    answer = await ada.client.post("/projects/plan", json={**ASK, **change})

    assert answer.status_code == 422
    async with db.transaction() as session:
        assert await session.scalar(text("select count(*) from procrastinate_jobs")) == 0
