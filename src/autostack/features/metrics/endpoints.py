import hmac

from fastapi import Request, Response

from autostack.features.metrics import service
from autostack.features.metrics.errors import MetricsTokenNeeded
from autostack.features.metrics.schemas import Health, Readiness
from autostack.features.teams.deps import router as routes
from autostack.web.client import is_local
from autostack.web.deps import Database, Settings, Streams
from autostack.web.measure import Meters
from autostack.web.problems import problems

router = routes("health", in_team=False)

_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/health")
async def health() -> Health:
    """The api answers."""
    return Health()


@router.get(
    "/health/ready",
    responses={503: {"model": Readiness, "description": "A part does not answer."}},
)
async def ready(
    request: Request, response: Response, db: Database, settings: Settings
) -> Readiness:
    """Whether the platform can deploy and serve: database, worker and edge answer."""
    local = settings.runtime not in {"kubernetes", "gitops"}
    parts = await service.look(db, ("127.0.0.1", settings.edge_port) if local else None)
    up = {parts.database, parts.worker, parts.edge} == {"up"}
    response.status_code = 200 if up else 503
    shown = parts if _may_look(request) else None
    return Readiness(status="ready" if up else "not ready", parts=shown)


@router.get("/metrics", response_class=Response, responses=problems(MetricsTokenNeeded))
async def metrics(request: Request, streams: Streams) -> Response:
    """Figures of this process in Prometheus' text form."""
    if not _may_look(request):
        raise MetricsTokenNeeded
    meters: Meters = request.app.state.meters
    meters.streams.set(streams.open)
    return Response(meters.text(), media_type=_MEDIA_TYPE)


def _may_look(request: Request) -> bool:
    if is_local(request):
        return True
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    wanted: str = request.app.state.metrics_token
    return scheme.lower() == "bearer" and hmac.compare_digest(
        token.strip().encode(errors="replace"), wanted.encode()
    )
