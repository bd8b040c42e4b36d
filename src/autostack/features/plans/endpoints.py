from datetime import timedelta

from fastapi import Response

from autostack.engine.errors import (
    BranchNotFound,
    NothingDetected,
    RepositoryDenied,
    RepositoryUnreachable,
)
from autostack.engine.plan import Plan
from autostack.features.accounts.deps import WaitingUser
from autostack.features.accounts.errors import NotSignedIn
from autostack.features.plans import service
from autostack.features.plans.errors import PlanTimedOut
from autostack.features.plans.schemas import PlanAsk
from autostack.features.projects.errors import RepositoryUrlInvalid
from autostack.features.teams.deps import router as routes
from autostack.web.deps import Database, Now
from autostack.web.problems import Problem, problems, respond

router = routes("projects", prefix="/projects/plan")

PATIENCE = timedelta(seconds=60)


@router.post(
    "",
    response_model=Plan,
    responses=problems(
        NotSignedIn,
        RepositoryUrlInvalid,
        RepositoryUnreachable,
        RepositoryDenied,
        BranchNotFound,
        NothingDetected,
        PlanTimedOut,
    ),
)
async def make_plan(body: PlanAsk, user: WaitingUser, db: Database, now: Now) -> Plan | Response:
    """What a deployment would do: each decision with the file and line that prove it, variables
    that are missing, and warnings. Nothing is built.
    """
    async with db.transaction() as session:
        request_id = await service.ask(
            session,
            repo_url=body.repo_url,
            branch=body.branch,
            root=body.root,
            by=user,
            now=now(),
        )
    answered = await service.wait(db, request_id, limit=PATIENCE)
    return respond(answered) if isinstance(answered, Problem) else answered
