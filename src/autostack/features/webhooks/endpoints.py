from http import HTTPStatus
from uuid import UUID

from fastapi import Request

from autostack.core.settings import Settings as SettingsValue
from autostack.features.accounts.deps import CurrentUser
from autostack.features.accounts.errors import NotSignedIn
from autostack.features.environments import service as environments
from autostack.features.environments.errors import EnvironmentNotFound
from autostack.features.projects import service as projects
from autostack.features.projects.errors import ProjectNotFound
from autostack.features.projects.schemas import Removed
from autostack.features.teams.deps import router as routes
from autostack.features.webhooks import service
from autostack.features.webhooks.errors import HookNotFound, SignatureInvalid, TooManyHooks
from autostack.features.webhooks.schemas import (
    DeliveryRead,
    Handled,
    HookCreate,
    HookList,
    HookMade,
    HookRead,
    HookSecret,
)
from autostack.models.hook import Hook
from autostack.web.deps import Limits, Now, Session, Settings, Vault
from autostack.web.limits import TooManyRequests
from autostack.web.pages import CursorInvalid, Page, PageQuery
from autostack.web.problems import BodyTooLarge, problems
from autostack.web.rates import per_address

PATH = r"/webhooks/[^/]+/[^/]+"
BODY_LIMIT = 5 * 1024 * 1024
"""A push of a thousand commits is two or three megabytes."""

router = routes("webhooks")


@router.post(
    "/webhooks/{provider}/{token}",
    status_code=HTTPStatus.ACCEPTED,
    dependencies=[per_address("webhook")],
    responses=problems(SignatureInvalid, HookNotFound, BodyTooLarge, TooManyRequests),
)
async def receive_webhook(
    provider: str,
    token: str,
    request: Request,
    session: Session,
    vault: Vault,
    limits: Limits,
    settings: Settings,
    now: Now,
) -> Handled:
    """For forges: a signed push to the branch an environment follows deploys it."""
    arrived = service.Arrived(headers=request.headers, body=await request.body())
    found = await service.find(session, provider, token)
    service.expect_signature(found, arrived, vault=vault, now=now())
    # Behind the signature: whoever knows the address alone must not use up the forge's share.
    await limits.hit(settings.webhook_rate, "hook", str(found.hook.id))
    answer = await service.handle(session, found, arrived, now=now())
    return Handled.model_validate(answer)


@router.post(
    "/projects/{project_id}/hooks",
    responses=problems(NotSignedIn, ProjectNotFound, EnvironmentNotFound, TooManyHooks),
)
async def create_hook(
    project_id: UUID,
    body: HookCreate,
    user: CurrentUser,
    session: Session,
    vault: Vault,
    settings: Settings,
    now: Now,
) -> HookMade:
    """Make the address and the secret a forge needs; both are shown this once."""
    project = await projects.get(session, project_id, reader=user)
    place = await environments.get(session, project, body.environment)
    made = await service.create(
        session, project, place, provider=body.provider, vault=vault, by=user, now=now()
    )
    return HookMade(
        **_read(made.hook, place.name).model_dump(),
        url=f"{settings.web_address}/webhooks/{body.provider.value}/{made.token}",
        secret=made.secret,
        note=_note(settings),
    )


@router.get("/projects/{project_id}/hooks", responses=problems(NotSignedIn, ProjectNotFound))
async def list_hooks(project_id: UUID, user: CurrentUser, session: Session) -> HookList:
    """The hooks of a project, oldest first; without their addresses and secrets."""
    project = await projects.get(session, project_id, reader=user)
    rows = await service.of_project(session, project)
    return HookList(items=[_read(hook, environment) for hook, environment in rows])


@router.delete(
    "/projects/{project_id}/hooks/{hook_id}",
    responses=problems(NotSignedIn, ProjectNotFound, HookNotFound),
)
async def delete_hook(
    project_id: UUID, hook_id: UUID, user: CurrentUser, session: Session, now: Now
) -> Removed:
    """Its address answers nobody any more, and its deliveries are forgotten."""
    project = await projects.get(session, project_id, reader=user)
    await service.remove(session, project, hook_id, by=user, now=now())
    return Removed(detail="The hook is removed.")


@router.post(
    "/projects/{project_id}/hooks/{hook_id}/rotate",
    responses=problems(NotSignedIn, ProjectNotFound, HookNotFound),
)
async def rotate_hook(
    project_id: UUID, hook_id: UUID, user: CurrentUser, session: Session, vault: Vault, now: Now
) -> HookSecret:
    """A new secret; the old one is good for nothing from now on. The address stays."""
    project = await projects.get(session, project_id, reader=user)
    secret = await service.rotate(session, project, hook_id, vault=vault, by=user, now=now())
    return HookSecret(secret=secret)


@router.get(
    "/projects/{project_id}/hooks/{hook_id}/deliveries",
    responses=problems(NotSignedIn, ProjectNotFound, HookNotFound, CursorInvalid),
)
async def list_deliveries(
    project_id: UUID, hook_id: UUID, user: CurrentUser, session: Session, paging: PageQuery
) -> Page[DeliveryRead]:
    """What the forge sent and what was decided, newest first: the last hundred of thirty days."""
    project = await projects.get(session, project_id, reader=user)
    rows, cursor = await service.deliveries(session, project, hook_id, paging)
    return Page(items=[DeliveryRead.model_validate(row) for row in rows], next_cursor=cursor)


def _read(hook: Hook, environment: str) -> HookRead:
    return HookRead(
        id=hook.id, provider=hook.provider, environment=environment, created_at=hook.created_at
    )


def _note(settings: SettingsValue) -> str | None:
    if settings.reachable:
        return None
    return (
        "Only this machine reaches this address. For a forge elsewhere the administrator sets "
        "AUTOSTACK_PUBLIC_URL."
    )
