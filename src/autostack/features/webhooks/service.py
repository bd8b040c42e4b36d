"""Hooks of a project: made, kept, and what becomes of the deliveries that reach them.

The secret is encrypted with what the api can read (as the second factors are), and not sealed for
the worker: checking a signature needs it before anything is written down.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import Headers

from autostack.core.crypto import Vault
from autostack.features.deployments import service as deployments
from autostack.features.environments import service as environments
from autostack.features.events import service as events
from autostack.features.webhooks import payloads, repository, signatures
from autostack.features.webhooks.decisions import Decision, Target, decide
from autostack.features.webhooks.errors import HookNotFound, SignatureInvalid, TooManyHooks
from autostack.models.deployment import Deployment
from autostack.models.environment import Environment
from autostack.models.hook import Delivery, Hook, Outcome, Provider
from autostack.models.project import Project
from autostack.models.user import User
from autostack.web.pages import Paging

MOST = 20
KEPT, KEPT_FOR = 100, timedelta(days=30)
"""Deliveries a hook remembers, and how long."""
_TOKEN_BYTES = 32
_DATED = frozenset({Provider.GITHUB, Provider.GITEA})
"""Forges whose bodies name the moment: the same body is the same delivery, under whatever id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    hook: Hook
    token: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """The hook a delivery is for."""

    hook: Hook
    project: Project
    environment: Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    headers: Headers
    body: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        return sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    outcome: Outcome
    decision: str
    deployment_id: UUID | None = None


async def create(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    *,
    provider: Provider,
    vault: Vault,
    by: User,
    now: datetime,
) -> Made:
    if await repository.count(session, project.id) >= MOST:
        raise TooManyHooks(MOST)
    token, secret, hook_id = secrets.token_urlsafe(_TOKEN_BYTES), signatures.make_secret(), uuid4()
    hook = Hook(
        id=hook_id,
        project_id=project.id,
        environment_id=environment.id,
        provider=provider,
        digest=_digest(token),
        secret=vault.encrypt(secret.encode(), context=_place(hook_id)),
        created_at=now,
    )
    session.add(hook)
    await session.flush()
    await _tell(session, project, hook, "hook.created", by=by, now=now)
    return Made(hook=hook, token=token, secret=secret)


async def of_project(session: AsyncSession, project: Project) -> Sequence[tuple[Hook, str]]:
    return await repository.of_project(session, project.id)


async def get(session: AsyncSession, project: Project, hook_id: UUID) -> Hook:
    found = await repository.get(session, project.id, hook_id)
    if found is None:
        raise HookNotFound
    return found


async def remove(
    session: AsyncSession, project: Project, hook_id: UUID, *, by: User, now: datetime
) -> None:
    hook = await get(session, project, hook_id)
    await repository.remove(session, hook.id)
    await _tell(session, project, hook, "hook.removed", by=by, now=now)


async def rotate(
    session: AsyncSession, project: Project, hook_id: UUID, *, vault: Vault, by: User, now: datetime
) -> str:
    """A new secret at once; the address stays, for it proves nothing."""
    hook = await get(session, project, hook_id)
    secret = signatures.make_secret()
    hook.secret = vault.encrypt(secret.encode(), context=_place(hook.id))
    await _tell(session, project, hook, "hook.rotated", by=by, now=now)
    return secret


async def deliveries(
    session: AsyncSession, project: Project, hook_id: UUID, paging: Paging
) -> tuple[Sequence[Delivery], str | None]:
    hook = await get(session, project, hook_id)
    return await repository.deliveries(session, hook.id, paging)


async def find(session: AsyncSession, provider: str, token: str) -> Addressed:
    """By the digest of what the address ends with: how long that takes tells nothing about it."""
    known = next((one for one in Provider if one.value == provider), None)
    found = await repository.addressed(session, known, _digest(token)) if known else None
    if found is None:
        raise HookNotFound
    hook, project, environment = found
    return Addressed(hook=hook, project=project, environment=environment)


def expect_signature(found: Addressed, arrived: Arrived, *, vault: Vault, now: datetime) -> None:
    hook = found.hook
    secret = vault.decrypt(hook.secret, context=_place(hook.id)).decode()
    if not signatures.signed(hook.provider, secret, arrived.headers, arrived.body, now=now):
        raise SignatureInvalid


async def handle(
    session: AsyncSession, found: Addressed, arrived: Arrived, *, now: datetime
) -> Answer:
    """Decide about a signed delivery, once, and write down what and why."""
    hook = found.hook
    if not await repository.hold(session, hook.id):
        raise HookNotFound
    key = payloads.key_of(hook.provider, arrived.headers, arrived.body)
    body_digest = arrived.digest if hook.provider in _DATED else None
    earlier = await repository.handled(session, hook.id, key=key, body_digest=body_digest)
    if earlier is not None:
        words = f"Already handled: {earlier.decision}"
        return Answer(
            outcome=Outcome.DUPLICATE, decision=words, deployment_id=earlier.deployment_id
        )
    told = payloads.read(hook.provider, arrived.headers, arrived.body)
    decision = decide(told, await _target(session, found))
    deployment = await _deploy(session, found, decision, now=now)
    row = _row(found.hook, arrived, told, decision, deployment, key=key, now=now)
    session.add(row)
    await session.flush()
    await repository.forget(session, hook.id, but=KEPT, before=now - KEPT_FOR)
    return Answer(outcome=row.outcome, decision=row.decision, deployment_id=row.deployment_id)


async def _target(session: AsyncSession, found: Addressed) -> Target:
    return Target(
        repo_url=found.project.repo_url,
        environment=found.environment.name,
        branch=found.environment.branch,
        paused=await environments.paused(session, found.environment),
    )


async def _deploy(
    session: AsyncSession, found: Addressed, decision: Decision, *, now: datetime
) -> Deployment | None:
    """Of the branch and not of a commit the delivery names: what is built is what the branch is at
    when the worker looks.
    """
    if decision.outcome is not Outcome.DEPLOYED:
        return None
    return await deployments.request(
        session, found.project, found.environment, now=now, by=None, branch=decision.branch
    )


def _row(
    hook: Hook,
    arrived: Arrived,
    told: payloads.Told,
    decision: Decision,
    deployment: Deployment | None,
    *,
    key: str,
    now: datetime,
) -> Delivery:
    number = f" as deployment {deployment.number}." if deployment else ""
    return Delivery(
        id=uuid4(),
        hook_id=hook.id,
        key=key,
        body_digest=arrived.digest,
        event=payloads.event_of(hook.provider, arrived.headers),
        branch=decision.branch,
        commit_sha=told.commit if isinstance(told, payloads.Push) else None,
        outcome=decision.outcome,
        decision=decision.words + number,
        deployment_id=deployment.id if deployment else None,
        at=now,
    )


async def _tell(
    session: AsyncSession, project: Project, hook: Hook, kind: str, *, by: User, now: datetime
) -> None:
    await events.emit(
        session,
        kind,
        team_id=project.team_id,
        project_id=project.id,
        actor_id=by.id,
        data={"hook_id": str(hook.id), "provider": hook.provider.value},
        now=now,
    )


def _digest(token: str) -> str:
    return sha256(token.encode(errors="replace")).hexdigest()


def _place(hook_id: UUID) -> str:
    return f"hook:{hook_id}"
