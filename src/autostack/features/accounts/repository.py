from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.api_token import ApiToken
from autostack.models.deployment import Deployment
from autostack.models.environment import Environment
from autostack.models.login_failure import LoginFailure
from autostack.models.mail_proof import EmailChange, PasswordReset
from autostack.models.project import Project
from autostack.models.run import Run
from autostack.models.second_factor import RecoveryCode, SecondFactor
from autostack.models.session import UserSession
from autostack.models.team import Membership, Team
from autostack.models.user import User

_REGISTER_LOCK = 7_151_003
"""Registrations go one by one, so that exactly one account is the first."""


async def begin_registration(session: AsyncSession) -> bool:
    """Whether this is the first account; nobody else registers until this transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(_REGISTER_LOCK)))
    return not await session.scalar(select(select(User.id).exists()))


async def by_key(session: AsyncSession, key: str) -> User | None:
    return await session.scalar(select(User).where(User.email_key == key))


async def signed_in(
    session: AsyncSession, session_id: UUID, *, now: datetime
) -> tuple[User, UserSession] | None:
    row = (await session.execute(_SIGNED_IN, {"id": session_id, "now": now})).first()
    return (row[0], row[1]) if row else None


async def lock_session(session: AsyncSession, session_id: UUID) -> UserSession | None:
    query = select(UserSession).where(UserSession.id == session_id).with_for_update()
    return await session.scalar(query)


async def sessions_of(
    session: AsyncSession, user_id: UUID, *, now: datetime
) -> Sequence[UserSession]:
    query = select(UserSession).where(UserSession.user_id == user_id, *_living(now))
    return (await session.scalars(query.order_by(UserSession.used_at.desc()).limit(100))).all()


async def revoke(session: AsyncSession, user_id: UUID, session_id: UUID, *, now: datetime) -> bool:
    query = (
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.user_id == user_id, *_living(now))
        .values(revoked_at=now)
        .returning(UserSession.id)
    )
    return await session.scalar(query) is not None


async def revoke_others(
    session: AsyncSession, user_id: UUID, *, but: UUID | None, now: datetime
) -> int:
    query = update(UserSession).where(UserSession.user_id == user_id, *_living(now))
    if but is not None:
        query = query.where(UserSession.id != but)
    return len(
        (await session.scalars(query.values(revoked_at=now).returning(UserSession.id))).all()
    )


async def hold_password(session: AsyncSession, user_id: UUID) -> str | None:
    """What is stored now; it stays until this transaction ends."""
    query = select(User.password_hash).where(User.id == user_id).with_for_update(read=True)
    return await session.scalar(query)


async def set_password(
    session: AsyncSession, user_id: UUID, hashed: str, *, now: datetime | None = None
) -> None:
    """Without `now` it is the same password, hashed in a newer way."""
    values = (
        {"password_hash": hashed} if now is None else {"password_hash": hashed, "updated_at": now}
    )
    await session.execute(update(User).where(User.id == user_id).values(values))


async def add_reset(
    session: AsyncSession, digest: str, user_id: UUID, *, now: datetime, expires_at: datetime
) -> None:
    session.add(
        PasswordReset(digest=digest, user_id=user_id, created_at=now, expires_at=expires_at)
    )
    await session.flush()


async def count_resets(session: AsyncSession, user_id: UUID, *, since: datetime) -> int:
    """Older ones are forgotten on the way."""
    own = PasswordReset.user_id == user_id
    await session.execute(delete(PasswordReset).where(own, PasswordReset.created_at <= since))
    return await session.scalar(select(func.count()).select_from(PasswordReset).where(own)) or 0


async def of_reset(session: AsyncSession, digest: str, *, now: datetime) -> User | None:
    query = select(User).join(PasswordReset, PasswordReset.user_id == User.id)
    return await session.scalar(
        query.where(PasswordReset.digest == digest, PasswordReset.expires_at > now)
    )


async def take_reset(session: AsyncSession, digest: str, *, now: datetime) -> bool:
    query = delete(PasswordReset).where(
        PasswordReset.digest == digest, PasswordReset.expires_at > now
    )
    return await session.scalar(query.returning(PasswordReset.user_id)) is not None


async def forget_reset(session: AsyncSession, digest: str) -> None:
    await session.execute(delete(PasswordReset).where(PasswordReset.digest == digest))


async def forget_resets(session: AsyncSession, user_id: UUID) -> None:
    await session.execute(delete(PasswordReset).where(PasswordReset.user_id == user_id))


async def set_email_change(
    session: AsyncSession, user_id: UUID, email: str, *, now: datetime, expires_at: datetime
) -> None:
    values = {"email": email, "digest": None, "created_at": now, "expires_at": expires_at}
    statement = insert(EmailChange).values(user_id=user_id, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=[EmailChange.user_id], set_=values)
    )


async def email_change(session: AsyncSession, user_id: UUID) -> EmailChange | None:
    return await session.get(EmailChange, user_id, with_for_update=True)


async def take_email_change(
    session: AsyncSession, digest: str, *, now: datetime
) -> EmailChange | None:
    query = delete(EmailChange).where(EmailChange.digest == digest, EmailChange.expires_at > now)
    return await session.scalar(query.returning(EmailChange))


async def factor(session: AsyncSession, user_id: UUID) -> SecondFactor | None:
    return await session.get(SecondFactor, user_id)


async def set_pending_factor(
    session: AsyncSession, user_id: UUID, secret: bytes, *, now: datetime
) -> bool:
    """False when one is on already."""
    values = {"secret": secret, "last_step": 0, "created_at": now}
    statement = insert(SecondFactor).values(user_id=user_id, confirmed_at=None, **values)
    made = statement.on_conflict_do_update(
        index_elements=[SecondFactor.user_id],
        set_=values,
        where=SecondFactor.confirmed_at.is_(None),
    )
    return await session.scalar(made.returning(SecondFactor.user_id)) is not None


async def advance_factor(session: AsyncSession, user_id: UUID, step: int) -> bool:
    """False for a step that was used before: each code is good once."""
    query = (
        update(SecondFactor)
        .where(SecondFactor.user_id == user_id, SecondFactor.last_step < step)
        .values(last_step=step)
    )
    return await session.scalar(query.returning(SecondFactor.user_id)) is not None


async def remove_factor(session: AsyncSession, user_id: UUID) -> bool:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    query = delete(SecondFactor).where(SecondFactor.user_id == user_id)
    return await session.scalar(query.returning(SecondFactor.user_id)) is not None


async def count_recovery_codes(session: AsyncSession, user_id: UUID) -> int:
    query = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.user_id == user_id)
    return await session.scalar(query) or 0


async def replace_recovery_codes(
    session: AsyncSession, user_id: UUID, digests: Sequence[str]
) -> None:
    await session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    session.add_all([RecoveryCode(digest=one, user_id=user_id) for one in digests])
    await session.flush()


async def use_recovery_code(session: AsyncSession, user_id: UUID, digest: str) -> bool:
    query = delete(RecoveryCode).where(
        RecoveryCode.digest == digest, RecoveryCode.user_id == user_id
    )
    return await session.scalar(query.returning(RecoveryCode.digest)) is not None


async def reads_project(session: AsyncSession, user_id: UUID, project_id: UUID) -> bool:
    query = (
        select(Project.id)
        .join(Membership, Membership.team_id == Project.team_id)
        .where(Project.id == project_id, Project.removed_at.is_(None))
    )
    return await session.scalar(query.where(Membership.user_id == user_id)) is not None


async def project_of(session: AsyncSession, kind: str, text: str) -> UUID | None:
    """The project that an id of this kind belongs to."""
    try:
        one = UUID(text)
    except ValueError:
        return None
    queries = {
        "project_id": select(Project.id).where(Project.id == one),
        "environment_id": select(Environment.project_id).where(Environment.id == one),
        "deployment_id": select(Deployment.project_id).where(Deployment.id == one),
        "run_id": select(Environment.project_id)
        .join(Run, Run.environment_id == Environment.id)
        .where(Run.id == one),
    }
    return await session.scalar(queries[kind])


async def count_tokens(session: AsyncSession, user_id: UUID, *, now: datetime) -> int:
    query = select(func.count()).select_from(ApiToken)
    return await session.scalar(query.where(*_own_tokens(user_id, now))) or 0


async def tokens_of(session: AsyncSession, user_id: UUID) -> Sequence[ApiToken]:
    query = select(ApiToken).where(ApiToken.user_id == user_id)
    newest = query.order_by(ApiToken.created_at.desc(), ApiToken.id).limit(500)
    return (await session.scalars(newest)).all()


async def take_token(session: AsyncSession, user_id: UUID, token_id: UUID) -> ApiToken | None:
    query = delete(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user_id)
    return await session.scalar(query.returning(ApiToken))


async def of_token(
    session: AsyncSession, digest: str, *, now: datetime
) -> tuple[User, ApiToken] | None:
    query = (
        select(User, ApiToken)
        .join(ApiToken, ApiToken.user_id == User.id)
        .where(ApiToken.digest == digest, ApiToken.expires_at > now, User.removed_at.is_(None))
    )
    row = (await session.execute(query)).first()
    return (row[0], row[1]) if row else None


async def token_stands(session: AsyncSession, token_id: UUID, *, now: datetime) -> bool:
    query = select(ApiToken.id).where(ApiToken.id == token_id, ApiToken.expires_at > now)
    return await session.scalar(query) is not None


def _own_tokens(user_id: UUID, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return ApiToken.user_id == user_id, ApiToken.expires_at > now


async def another_admin(session: AsyncSession, user_id: UUID) -> bool:
    """Administrators that leave at the same moment wait for each other."""
    query = select(User.id).where(User.is_admin, User.removed_at.is_(None)).order_by(User.id)
    admins = (await session.scalars(query.with_for_update())).all()
    return any(one != user_id for one in admins)


async def close(session: AsyncSession, user_id: UUID, *, now: datetime) -> None:
    gone = {"email": "", "email_key": f"removed:{user_id}", "password_hash": None}
    query = update(User).where(User.id == user_id)
    await session.execute(
        query.values(
            **gone,
            is_admin=False,
            github_token=None,
            google_token=None,
            removed_at=now,
            updated_at=now,
        )
    )
    await session.execute(delete(UserSession).where(UserSession.user_id == user_id))
    await session.execute(delete(ApiToken).where(ApiToken.user_id == user_id))
    await forget_resets(session, user_id)
    await session.execute(delete(EmailChange).where(EmailChange.user_id == user_id))
    await remove_factor(session, user_id)


async def purge(session: AsyncSession) -> None:
    owning = (
        select(Project.id)
        .join(Team, Team.id == Project.team_id)
        .where(Team.personal_to == User.id)
        .exists()
    )
    await session.execute(delete(User).where(User.removed_at.is_not(None), ~owning))


async def hold_failures(session: AsyncSession, email_digest: str) -> None:
    """Verdicts about one address come one by one, also when it has no row yet."""
    key = func.hashtextextended(email_digest, 0)
    await session.execute(select(func.pg_advisory_xact_lock(key)))


async def locked_until(session: AsyncSession, email_digest: str) -> datetime | None:
    query = select(LoginFailure.locked_until).where(LoginFailure.email_digest == email_digest)
    return await session.scalar(query)


async def count_failure(
    session: AsyncSession,
    email_digest: str,
    *,
    now: datetime,
    window: timedelta,
    most: int,
    lock: timedelta,
) -> None:
    """One statement, so that failures at the same moment are all counted."""
    fresh = or_(
        LoginFailure.first_at < now - window,
        and_(LoginFailure.locked_until.is_not(None), LoginFailure.locked_until <= now),
    )
    count = case((fresh, 1), else_=LoginFailure.count + 1)
    statement = insert(LoginFailure).values(
        email_digest=email_digest, first_at=now, count=1, locked_until=None
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[LoginFailure.email_digest],
            set_={
                "first_at": case((fresh, now), else_=LoginFailure.first_at),
                "count": count,
                "locked_until": case(
                    (fresh, None),
                    (LoginFailure.locked_until.is_not(None), LoginFailure.locked_until),
                    (count >= most, literal(now + lock)),
                    else_=None,
                ),
            },
        )
    )


async def forget_failures(session: AsyncSession, email_digest: str) -> None:
    await session.execute(delete(LoginFailure).where(LoginFailure.email_digest == email_digest))


async def forget_old_failures(session: AsyncSession, *, before: datetime) -> None:
    """Addresses somebody made up do not pile up."""
    old = or_(LoginFailure.locked_until.is_(None), LoginFailure.locked_until < before)
    await session.execute(delete(LoginFailure).where(LoginFailure.first_at < before, old))


def _living(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return UserSession.revoked_at.is_(None), UserSession.expires_at > now


# Asked at every request, so that putting it together counts.
_SIGNED_IN = (
    select(User, UserSession)
    .join(UserSession, UserSession.user_id == User.id)
    .where(
        UserSession.id == bindparam("id"),
        UserSession.revoked_at.is_(None),
        UserSession.expires_at > bindparam("now"),
    )
)
