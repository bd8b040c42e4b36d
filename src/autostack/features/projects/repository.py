from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Select, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.teams import roles
from autostack.models.environment import Environment
from autostack.models.project import Project
from autostack.models.team import Membership, Role
from autostack.web.pages import Paging, newest_first


def _readable(user_id: UUID | BindParameter[UUID]) -> Select[Project]:
    """Every way to a project leads through here: the teams of the reader decide."""
    teams = select(Membership.team_id).where(Membership.user_id == user_id)
    return select(Project).where(Project.team_id.in_(teams), Project.removed_at.is_(None))


# Asked at most requests, so that putting it together counts.
_ONE = _readable(bindparam("user")).where(Project.id == bindparam("id"))


async def readable(session: AsyncSession, user_id: UUID, project_id: UUID) -> Project | None:
    return await session.scalar(_ONE, {"user": user_id, "id": project_id})


async def opening(session: AsyncSession, user_id: UUID, repo_url: str) -> Project | None:
    """The newest project that holds a credential for this very address, of the teams in which the
    reader may deploy it: whoever only looks does not read its repository.
    """
    deploying = select(Membership.team_id).where(
        Membership.user_id == user_id, Membership.role.in_(roles.from_on(Role.DEVELOPER))
    )
    query = _readable(user_id).where(
        Project.repo_url == repo_url,
        Project.credential.is_not(None),
        Project.team_id.in_(deploying),
    )
    return await session.scalar(query.order_by(Project.created_at.desc()).limit(1))


async def page(
    session: AsyncSession, user_id: UUID, paging: Paging, *, name: str | None, only: UUID | None
) -> tuple[Sequence[Project], str | None]:
    query = _readable(user_id)
    if name is not None:
        query = query.where(Project.name == name)
    if only is not None:
        query = query.where(Project.id == only)
    return await newest_first(
        session, query, at=Project.created_at, row_id=Project.id, paging=paging
    )


async def of_team(session: AsyncSession, team_id: UUID) -> Sequence[Project]:
    query = select(Project).where(Project.team_id == team_id, Project.removed_at.is_(None))
    return (await session.scalars(query.order_by(Project.id).with_for_update())).all()


async def count(session: AsyncSession, team_id: UUID) -> int:
    query = select(func.count()).select_from(Project).where(Project.team_id == team_id)
    return await session.scalar(query.where(Project.removed_at.is_(None))) or 0


async def name_taken(session: AsyncSession, team_id: UUID, name: str) -> bool:
    query = select(Project.id).where(Project.team_id == team_id, Project.name == name)
    return await session.scalar(query) is not None


async def slug_taken(session: AsyncSession, slug: str) -> bool:
    query = select(Project.id).where(Project.slug == slug)
    used = select(Environment.id).where(Environment.hostname == slug)
    return bool(await session.scalar(select(query.exists() | used.exists())))


async def add(session: AsyncSession, row: Project) -> bool:
    """False when a unique column is taken."""
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


async def add_environment(session: AsyncSession, values: dict[str, Any]) -> Environment | None:
    """None when its name, host name or address is taken."""
    statement = insert(Environment).values(**values).on_conflict_do_nothing().returning(Environment)
    return await session.scalar(statement)


async def removed(session: AsyncSession, *, before: datetime) -> Sequence[UUID]:
    """Those that were asked to go that long ago, and are still there."""
    return (await session.scalars(select(Project.id).where(Project.removed_at < before))).all()


async def environment_named(
    session: AsyncSession, project_id: UUID, name: str
) -> Environment | None:
    query = select(Environment).where(
        Environment.project_id == project_id, Environment.name == name
    )
    return await session.scalar(query)


async def hostname_taken(session: AsyncSession, hostname: str) -> bool:
    query = select(Environment.id).where(Environment.hostname == hostname)
    return await session.scalar(query) is not None
