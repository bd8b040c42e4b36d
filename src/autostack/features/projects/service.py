"""Projects, and the places their environments get. Ownership is in every query."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.crypto import Opener, Sealer
from autostack.core.keys import make_deploy_key
from autostack.engine.release import Credential
from autostack.features.events import service as events
from autostack.features.jobs import service as jobs
from autostack.features.projects import names, repository
from autostack.features.projects.errors import (
    AddressesExhausted,
    DatabaseUnavailable,
    ProjectNameTaken,
    ProjectNotFound,
    ProjectsExhausted,
)
from autostack.features.teams import service as teams
from autostack.models.environment import Environment
from autostack.models.project import Project
from autostack.models.user import User
from autostack.web.pages import Paging

PRODUCTION = "production"
REMOVE = "project.remove"

MOST = 500
"""Projects of a team."""
_TRIES = 20
_NO_DATABASE = frozenset({"", "none"})
# 127.0.0.0/16 is left to the machine: localhost, Debian's own name, resolvers.
_FIRST = int(IPv4Address("127.1.0.1"))
_LAST = int(IPv4Address("127.255.255.254"))


check_repo_url = names.check_repo_url


async def get(session: AsyncSession, project_id: UUID, *, reader: User) -> Project:
    """The reader's project; not there and not theirs are the same."""
    found = await repository.readable(session, reader.id, project_id)
    if found is None:
        raise ProjectNotFound
    return found


async def page(
    session: AsyncSession,
    paging: Paging,
    *,
    reader: User,
    name: str | None = None,
    only: UUID | None = None,
) -> tuple[Sequence[Project], str | None]:
    """`only` narrows it to one project, for whoever reaches no other."""
    return await repository.page(session, reader.id, paging, name=name, only=only)


async def create(
    session: AsyncSession,
    *,
    name: str,
    repo_url: str,
    by: User,
    now: datetime,
    description: str = "",
    language: str | None = None,
    framework: str | None = None,
    database: str | None = None,
    overrides: dict[str, Any] | None = None,
    team_id: UUID | None = None,
) -> Project:
    """A project of a team, by default of the user's own, with its production environment. That is
    protected where a team may have other members: who comes later does not deploy to it.
    """
    if database is not None and database.strip().lower() not in _NO_DATABASE:
        raise DatabaseUnavailable(database)
    address = names.check_repo_url(repo_url)
    team = await teams.get(session, team_id or await teams.home(session, by))
    if await repository.count(session, team.id) >= MOST:
        raise ProjectsExhausted(MOST)
    wanted = names.label(name)
    for attempt in range(_TRIES):
        if await repository.name_taken(session, team.id, name):
            raise ProjectNameTaken(name)
        slug = names.candidate(wanted, attempt, secrets.token_hex(2 + attempt // 8))
        if await repository.slug_taken(session, slug):
            continue
        project = Project(
            id=uuid4(),
            team_id=team.id,
            user_id=by.id,
            name=name,
            slug=slug,
            description=description,
            repo_url=address,
            language=language,
            framework=framework,
            database=database,
            overrides=overrides or {},
            created_at=now,
            updated_at=now,
        )
        if await repository.add(session, project):
            place = await open_environment(session, project, name=PRODUCTION, branch=None, now=now)
            place.protected = team.personal_to is None
            await _tell(session, project, "project.created", by=by, now=now)
            return project
    raise AddressesExhausted


async def open_environment(
    session: AsyncSession, project: Project, *, name: str, branch: str | None, now: datetime
) -> Environment:
    """A new environment with a host name and a loopback address of its own."""
    wanted = project.slug if name == PRODUCTION else names.label(f"{project.slug}-{name}")
    for attempt in range(_TRIES):
        hostname = names.candidate(wanted, attempt, secrets.token_hex(2 + attempt // 8))
        values: dict[str, Any] = {
            "id": uuid4(),
            "project_id": project.id,
            "name": name,
            "branch": branch,
            "hostname": hostname,
            "loopback": _loopback(),
            "scale": {},
            "stopped": False,
            "created_at": now,
        }
        made = await repository.add_environment(session, values)
        if made is not None:
            return made
    raise AddressesExhausted


def _loopback() -> str:
    """Any of 16 million: the unique index says whether it was free."""
    return str(IPv4Address(_FIRST + secrets.randbelow(_LAST - _FIRST)))


async def update(
    session: AsyncSession, project: Project, changes: dict[str, Any], *, by: User, now: datetime
) -> Project:
    """Change what is named. The slug, and so every address, stays."""
    if "repo_url" in changes:
        changes = {**changes, "repo_url": names.check_repo_url(changes["repo_url"])}
    name = changes.get("name")
    if (
        name
        and name != project.name
        and await repository.name_taken(session, project.team_id, name)
    ):
        raise ProjectNameTaken(name)
    for field, value in changes.items():
        setattr(project, field, value)
    project.updated_at = now
    await session.flush()
    await _tell(session, project, "project.updated", by=by, now=now)
    return project


async def move(
    session: AsyncSession, project: Project, *, team_id: UUID, by: User, now: datetime
) -> Project:
    """To another team; nothing of what runs changes. Both teams are told."""
    await session.refresh(project, with_for_update=True)
    before, name, team = project.team_id, project.name, await teams.get(session, team_id)
    if before == team_id:
        return project
    try:
        async with session.begin_nested():
            project.team_id, project.updated_at = team_id, now
    except IntegrityError:
        raise ProjectNameTaken(name) from None
    place = await repository.environment_named(session, project.id, PRODUCTION)
    if place is not None and team.personal_to is None:
        place.protected = True
    about = {"from": str(before), "to": str(team_id)}
    for told in (before, team_id):
        await events.emit(
            session,
            "project.moved",
            team_id=told,
            project_id=project.id,
            actor_id=by.id,
            now=now,
            data=about,
        )
    return project


async def remove(session: AsyncSession, project: Project, *, by: User, now: datetime) -> None:
    """Gone for its users at once; a worker ends what runs, then deletes the rest."""
    project.removed_at = project.updated_at = now
    # The name is free again; the slug is when nothing answers under it any more.
    project.name = f"{project.name} ({project.id})"
    project.credential = None
    await _ask_to_remove(session, project.id)
    await _tell(session, project, "project.removed", by=by, now=now)


async def remove_all(session: AsyncSession, *, by: User, now: datetime) -> None:
    """Every project of the user's personal team."""
    team = await teams.personal(session, by)
    for project in await repository.of_team(session, team.id):
        await remove(session, project, by=by, now=now)


async def remove_again(session: AsyncSession, *, before: datetime) -> None:
    """Ask once more for what should be gone since `before`: a job that fails is not repeated."""
    for project_id in await repository.removed(session, before=before):
        await _ask_to_remove(session, project_id)


async def _ask_to_remove(session: AsyncSession, project_id: UUID) -> None:
    lock = f"{REMOVE}:{project_id}"
    await jobs.enqueue(session, REMOVE, lock=lock, queueing_lock=lock, project_id=project_id)


async def _tell(
    session: AsyncSession, project: Project, kind: str, *, by: User, now: datetime
) -> None:
    await events.emit(
        session, kind, team_id=project.team_id, project_id=project.id, actor_id=by.id, now=now
    )


async def set_token(
    session: AsyncSession,
    project: Project,
    *,
    username: str,
    token: str,
    sealer: Sealer,
    by: User,
    now: datetime,
) -> None:
    """Keep a token for the repository; only the worker can read it."""
    _seal(project, Credential(username=username, token=token), sealer)
    project.deploy_key, project.updated_at = None, now
    await _tell(session, project, "project.credential", by=by, now=now)


async def make_key(
    session: AsyncSession, project: Project, *, sealer: Sealer, by: User, now: datetime
) -> str:
    """A new deploy key; the public half is returned, the private one is sealed at once."""
    private, public = make_deploy_key(f"autostack {project.slug}")
    _seal(project, Credential(private_key=private), sealer)
    project.deploy_key, project.updated_at = public, now
    await _tell(session, project, "project.credential", by=by, now=now)
    return public


async def forget_credential(
    session: AsyncSession, project: Project, *, by: User, now: datetime
) -> None:
    project.credential, project.deploy_key, project.updated_at = None, None, now
    await _tell(session, project, "project.credential", by=by, now=now)


def _seal(project: Project, credential: Credential, sealer: Sealer) -> None:
    text = json.dumps(asdict(credential))
    project.credential = sealer.seal(text.encode(), context=place(project.id))


def credential(project: Project, opener: Opener) -> Credential | None:
    """For the worker: what opens the repository."""
    if project.credential is None:
        return None
    return Credential(**json.loads(opener.open(project.credential, context=place(project.id))))


async def credential_for(
    session: AsyncSession, user_id: UUID, repo_url: str, opener: Opener
) -> Credential | None:
    """For the worker: what a project of the reader's teams opens this very address with."""
    project = await repository.opening(session, user_id, repo_url)
    return credential(project, opener) if project else None


def place(project_id: UUID) -> str:
    """What a credential is sealed for."""
    return f"credential:{project_id}"
