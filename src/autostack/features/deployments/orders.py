"""Rows turned into the frozen order the engine carries out. Sealed values are opened here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.uploads import upload_url
from autostack.engine import facts
from autostack.engine.order import Goal, Made, Order
from autostack.engine.plan import Overrides, Plan
from autostack.engine.release import Artifact, Credential, Repository, WatchRule
from autostack.models.deployment import Deployment, Kind
from autostack.models.environment import Environment
from autostack.models.project import Project
from autostack.models.release import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What was opened for one deployment."""

    variables: Mapping[str, str]
    credential: Credential | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """All rows an order is made of. `release` where one is reused or exists already."""

    deployment: Deployment
    project: Project
    environment: Environment
    release: Release | None


async def gather(session: AsyncSession, deployment: Deployment) -> Rows | None:
    """None when the project was removed meanwhile."""
    project = await session.get(Project, deployment.project_id)
    environment = await session.get(Environment, deployment.environment_id)
    if project is None or environment is None:
        return None
    release = await session.get(Release, deployment.release_id) if deployment.release_id else None
    return Rows(deployment=deployment, project=project, environment=environment, release=release)


def order(rows: Rows, secrets: Secrets, *, build_uid: int, settling: bool = False) -> Order:
    """`settling`: the release this deployment made is used, as it would be by a restart."""
    deployment, project = rows.deployment, rows.project
    reuses = settling or deployment.kind is not Kind.DEPLOY
    return Order(
        id=deployment.id,
        project_id=project.id,
        environment_id=rows.environment.id,
        goal=Goal(deployment.kind.value),
        repository=Repository(
            key=project.id,
            url=upload_url(deployment.upload) if deployment.upload else deployment.repo_url,
            ref=deployment.commit_sha if settling else deployment.branch,
            credential=secrets.credential,
        ),
        overrides=facts.load(Overrides, project.overrides),
        env=secrets.variables,
        scale={name: int(count) for name, count in rows.environment.scale.items()},
        watch=facts.load(WatchRule, rows.environment.watch),
        reuse=_made(rows.release) if reuses and rows.release else None,
        build_uid=build_uid,
        secrets=_hidden(secrets),
    )


def _made(release: Release) -> Made:
    return Made(
        id=release.id,
        plan=facts.load(Plan, release.plan),
        artifact=facts.load(Artifact, release.artifact),
    )


def _hidden(secrets: Secrets) -> tuple[str, ...]:
    credential = secrets.credential
    own = (credential.token, credential.private_key) if credential else ()
    return tuple(value for value in (*secrets.variables.values(), *own) if value)


def pack(variables: Mapping[str, str]) -> bytes:
    """A configuration as the bytes that are sealed."""
    return json.dumps(dict(variables), sort_keys=True, ensure_ascii=False).encode()


def unpack(raw: bytes) -> dict[str, str]:
    found: dict[str, str] = json.loads(raw)
    return found


def context(environment_id: UUID) -> str:
    """What a configuration is sealed for: it opens for its own environment only."""
    return f"configuration:{environment_id}"
