from uuid import UUID

from autostack.features.accounts.deps import CurrentUser
from autostack.features.accounts.errors import NotSignedIn
from autostack.features.deployments import service as deployments
from autostack.features.deployments.errors import EnvironmentUnknown, NothingDeployed
from autostack.features.runs import service
from autostack.features.runs.errors import RunFinished, RunNotFound, StaticRelease, TooManyRuns
from autostack.features.runs.schemas import RunCreate, RunRead
from autostack.features.teams.deps import router as routes
from autostack.web.deps import Now, Session
from autostack.web.pages import Page, PageQuery
from autostack.web.problems import problems

router = routes("runs")


@router.post(
    "/environments/{environment_id}/runs",
    responses=problems(
        NotSignedIn, EnvironmentUnknown, NothingDeployed, StaticRelease, TooManyRuns
    ),
)
async def create_run(
    environment_id: UUID, body: RunCreate, user: CurrentUser, session: Session, now: Now
) -> RunRead:
    """Run a command once in the live release, with its configuration; follow it on its log. It
    is never run a second time by itself.
    """
    _, place = await deployments.environment(session, environment_id, reader=user)
    made = await service.request(
        session, place, command=body.words, seconds=body.timeout, by=user.id, now=now()
    )
    return RunRead.model_validate(made)


@router.get(
    "/environments/{environment_id}/runs", responses=problems(NotSignedIn, EnvironmentUnknown)
)
async def list_runs(
    environment_id: UUID, user: CurrentUser, session: Session, paging: PageQuery
) -> Page[RunRead]:
    """Newest first."""
    _, place = await deployments.environment(session, environment_id, reader=user)
    rows, cursor = await service.page(session, place, paging)
    return Page(items=[RunRead.model_validate(row) for row in rows], next_cursor=cursor)


@router.get("/runs/{run_id}", responses=problems(NotSignedIn, RunNotFound))
async def get_run(run_id: UUID, user: CurrentUser, session: Session) -> RunRead:
    """How it goes, and how it ended."""
    return RunRead.model_validate(await service.get(session, run_id, reader=user))


@router.post("/runs/{run_id}/cancel", responses=problems(NotSignedIn, RunNotFound, RunFinished))
async def cancel_run(run_id: UUID, user: CurrentUser, session: Session, now: Now) -> RunRead:
    """End it within two seconds, with everything it started."""
    found = await service.get(session, run_id, reader=user)
    return RunRead.model_validate(await service.cancel(session, found, now=now()))
