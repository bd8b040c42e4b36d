"""Tokens for programs: made once, shown once, kept as digests."""

import secrets
import string
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.accounts import reach, repository, tokens
from autostack.features.accounts.errors import (
    NotSignedIn,
    ProjectUnknown,
    TokenNotFound,
    TooManyTokens,
)
from autostack.features.accounts.service.telling import tell
from autostack.models.api_token import ApiToken, Scope
from autostack.models.user import User

PREFIX = "as_"
MOST = 50
_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _SUM = 36, 6
_SHOWN = len(PREFIX) + 4
_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    row: ApiToken
    token: str = field(repr=False)


async def make_token(
    session: AsyncSession,
    user: User,
    *,
    name: str,
    scope: Scope,
    project_id: UUID | None,
    life: timedelta,
    now: datetime,
    by: User | None = None,
) -> Made:
    """`ProjectUnknown` for a project that is not the user's. `by` is who makes it for another."""
    if project_id is not None and not await repository.reads_project(session, user.id, project_id):
        raise ProjectUnknown
    if await repository.count_tokens(session, user.id, now=now) >= MOST:
        raise TooManyTokens(MOST)
    token = fresh()
    row = ApiToken(
        id=uuid4(),
        user_id=user.id,
        project_id=project_id,
        name=name,
        digest=tokens.digest(token),
        hint=token[:_SHOWN],
        scope=scope,
        created_at=now,
        expires_at=now + life,
        used_from="",
    )
    session.add(row)
    await session.flush()
    await tell(session, "token.created", user, now=now, data=_about(row), by=by)
    return Made(row=row, token=token)


async def tokens_of(session: AsyncSession, user: User) -> Sequence[ApiToken]:
    return await repository.tokens_of(session, user.id)


async def revoke_token(
    session: AsyncSession, user: User, token_id: UUID, *, now: datetime, by: User | None = None
) -> None:
    row = await repository.take_token(session, user.id, token_id)
    if row is None:
        raise TokenNotFound
    await tell(session, "token.revoked", user, now=now, data=_about(row), by=by)


async def who_by_token(
    session: AsyncSession, token: str, *, address: str, now: datetime
) -> tuple[User, ApiToken]:
    """The user of a token that has not ended."""
    found = await repository.of_token(session, tokens.digest(token), now=now)
    if found is None:
        raise NotSignedIn
    user, row = found
    if row.used_at is None or now - row.used_at > _USED_EVERY:
        row.used_at, row.used_from = now, address
    return user, row


async def token_stands(session: AsyncSession, token_id: UUID, *, now: datetime) -> bool:
    return await repository.token_stands(session, token_id, now=now)


async def reaches(
    session: AsyncSession, token: ApiToken, named: Sequence[tuple[str, str]], operation: str
) -> bool:
    """Whether everything a request names belongs to the token's project; one that names nothing
    is not about it.
    """
    if token.project_id is None or operation in reach.ANY_PROJECT:
        return True
    found = [await repository.project_of(session, kind, one) for kind, one in named]
    return bool(found) and all(one == token.project_id for one in found)


def fresh() -> str:
    """214 random bits and a checksum, by which scanners tell one from other text offline."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return f"{PREFIX}{body}{checksum(body)}"


def checksum(body: str) -> str:
    """CRC-32 in base 62, six digits."""
    value, digits = zlib.crc32(body.encode()), ""
    for _ in range(_SUM):
        value, rest = divmod(value, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return digits


def _about(row: ApiToken) -> dict[str, str | None]:
    project = str(row.project_id) if row.project_id else None
    return {"name": row.name, "hint": row.hint, "scope": row.scope.value, "project_id": project}
