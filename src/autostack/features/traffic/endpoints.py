from typing import Any
from uuid import UUID

from autostack.engine.tally import Tally, total
from autostack.features.accounts.deps import CurrentUser
from autostack.features.accounts.errors import NotSignedIn
from autostack.features.environments import service as environments
from autostack.features.environments.errors import EnvironmentNotFound
from autostack.features.projects import service as projects
from autostack.features.projects.errors import ProjectNotFound
from autostack.features.teams.deps import router as routes
from autostack.features.traffic import service
from autostack.features.traffic.schemas import Answers, Span, TrafficPoint, TrafficRead
from autostack.web.deps import Now, Session
from autostack.web.problems import problems

router = routes("traffic", prefix="/projects/{project_id}/environments/{name}")


@router.get("/traffic", responses=problems(NotSignedIn, ProjectNotFound, EnvironmentNotFound))
async def read_traffic(
    project_id: UUID,
    name: str,
    user: CurrentUser,
    session: Session,
    now: Now,
    window: Span = "1h",
) -> TrafficRead:
    """Requests, status classes and latencies, as the edge counted them."""
    project = await projects.get(session, project_id, reader=user)
    environment = await environments.get(session, project, name)
    asked = service.WINDOWS[window]
    points = await service.points(session, environment, asked, now=now())
    return TrafficRead(
        step=int(asked.step.total_seconds()),
        total=Answers(**_answers(total([point.tally for point in points]))),
        points=[TrafficPoint(at=point.at, **_answers(point.tally)) for point in points],
    )


def _answers(tally: Tally) -> dict[str, Any]:
    informational, success, redirects, client_errors, server_errors = tally.codes
    return {
        "requests": tally.requests,
        "success": informational + success,
        "redirects": redirects,
        "client_errors": client_errors,
        "server_errors": server_errors,
        "unanswered": tally.gateway,
        "p50": _milliseconds(tally, 0.5),
        "p95": _milliseconds(tally, 0.95),
        "p99": _milliseconds(tally, 0.99),
    }


def _milliseconds(tally: Tally, share: float) -> float | None:
    found = tally.quantile(share)
    return None if found is None else round(found * 1000, 1)
