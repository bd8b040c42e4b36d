"""Service accounts: members that are programs. They cannot sign in and have API tokens alone."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.membership import repository
from autostack.features.membership.errors import MemberNotFound, ServiceNameTaken, ServiceRole
from autostack.features.membership.service.founding import shared
from autostack.features.membership.service.telling import tell
from autostack.features.teams import roles
from autostack.models.team import Role
from autostack.models.user import User


async def make_service_account(
    session: AsyncSession, team_id: UUID, *, name: str, role: Role, by: User, now: datetime
) -> User:
    """No password and no address: nothing but a token of the team's admins lets it in."""
    if roles.at_least(role, Role.ADMIN):
        raise ServiceRole
    await shared(session, team_id)
    if await repository.service_named(session, team_id, name):
        raise ServiceNameTaken(name)
    made = User(
        id=uuid4(), email=name, service_of=team_id, is_admin=False, created_at=now, updated_at=now
    )
    made.email_key = f"service:{made.id}"
    session.add(made)
    await session.flush()
    await repository.add(session, team_id, made.id, role)
    about = {"member": name, "user_id": str(made.id), "role": role.value}
    await tell(session, "team.service_account_created", team_id=team_id, by=by, now=now, data=about)
    return made


async def service_account(session: AsyncSession, team_id: UUID, user_id: UUID) -> User:
    found = await repository.member(session, team_id, user_id)
    if found is None or found[0].service_of != team_id:
        raise MemberNotFound
    return found[0]
