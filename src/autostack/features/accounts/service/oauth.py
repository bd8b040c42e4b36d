"""Signing in with a provider: begun in a browser, finished in the same one, once.

An identity is what the provider calls somebody, never their address: whoever gets an address
there, or claims one, does not get the account here. Adding one to an account that exists needs
somebody who is signed in to it.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.core.errors import AutostackError
from autostack.features.accounts import email as emails
from autostack.features.accounts import exchange, identity_rows, repository
from autostack.features.accounts.errors import (
    AccountExists,
    EmailMissing,
    IdentityTaken,
    ProviderRefused,
    SecondFactorInvalid,
    SignInNotBegun,
)
from autostack.features.accounts.exchange import Claimed
from autostack.features.accounts.providers import OAuth, Provider
from autostack.features.accounts.service import codes, failures, sessions, signing_in
from autostack.features.accounts.service.proving import prove
from autostack.features.accounts.service.telling import tell
from autostack.features.accounts.service.values import Accounts, Origin, SignedIn
from autostack.features.events import service as events
from autostack.models.identity import BegunSignIn, Identity
from autostack.models.user import User

LIFE = timedelta(minutes=10)
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Where the browser goes, and the cookie it comes back with."""

    url: str
    browser: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What a browser brings back. `issuer` is the provider's own word for itself (RFC 9207)."""

    provider: str
    code: str = field(repr=False)
    state: str = field(repr=False)
    browser: str | None = field(repr=False)
    issuer: str | None = None
    second_factor: str | None = field(default=None, repr=False)


async def begin(
    db: Database,
    accounts: Accounts,
    oauth: OAuth,
    key: str,
    *,
    browser: str | None,
    linking: User | None = None,
    now: datetime,
) -> Begun:
    """The state begins with the provider's name, so that one page can take all of them back."""
    provider = oauth.provider(key)
    state, secret = f"{key}.{_token()}", _token()
    browser = browser or _token()
    url = await exchange.address(oauth, provider, state=state, secret=secret)
    digest = _digest(state)
    row = BegunSignIn(
        digest=digest,
        provider=key,
        browser=_digest(browser),
        secret=accounts.vault.encrypt(secret.encode(), context=f"sign-in:{digest}"),
        linking_id=linking.id if linking else None,
        proved_id=None,
        expires_at=now + LIFE,
    )
    async with db.transaction() as session:
        await identity_rows.begin(session, row, now=now)
    return Begun(url=url, browser=browser)


async def finish(
    db: Database,
    accounts: Accounts,
    oauth: OAuth,
    returned: Returned,
    *,
    origin: Origin,
    here: bool,
    now: datetime,
) -> SignedIn:
    """A session for whom the provider vouches. One who has no account gets one, where anybody may
    make one; `here` as in `register`.
    """
    provider = oauth.provider(returned.provider)
    row = await _take(db, returned, now=now)
    if row.linking_id is not None:
        raise SignInNotBegun
    found = None
    if row.proved_id is None:
        found = await _claimed(accounts, oauth, provider, row, returned, now=now)
    async with db.transaction() as session:
        user = await _user(session, accounts, provider, row, found, here=here, now=now)
        verdict = await _judge(session, accounts, row, user, returned, origin=origin, now=now)
    if isinstance(verdict, AutostackError):
        raise verdict
    return verdict


async def begin_link(
    db: Database,
    accounts: Accounts,
    oauth: OAuth,
    key: str,
    user: User,
    *,
    password: str,
    code: str | None,
    browser: str | None,
    now: datetime,
) -> Begun:
    """The password once more: this adds a way into the account."""
    await prove(db, accounts, user, password=password, code=code, with_code=True, now=now)
    return await begin(db, accounts, oauth, key, browser=browser, linking=user, now=now)


async def finish_link(
    db: Database, accounts: Accounts, oauth: OAuth, returned: Returned, user: User, *, now: datetime
) -> Identity:
    """Only for the user who began it."""
    provider = oauth.provider(returned.provider)
    row = await _take(db, returned, now=now)
    if row.linking_id != user.id:
        raise SignInNotBegun
    found = await _claimed(accounts, oauth, provider, row, returned, now=now)
    async with db.transaction() as session:
        known = await identity_rows.owner(session, found.issuer, found.subject)
        if known is None:
            return await _add(session, accounts, provider, user, found, now=now)
        owner, identity = known
        if owner.id != user.id:
            raise IdentityTaken(provider.name)
        _used(accounts, identity, found, now=now)
        return identity


async def _take(db: Database, returned: Returned, *, now: datetime) -> BegunSignIn:
    """Committed before the code is swapped: a second try finds nothing."""
    async with db.transaction() as session:
        row = await identity_rows.take(
            session,
            _digest(returned.state),
            provider=returned.provider,
            browser=_digest(returned.browser or ""),
            now=now,
        )
    if row is None:
        raise SignInNotBegun
    return row


async def _claimed(
    accounts: Accounts,
    oauth: OAuth,
    provider: Provider,
    row: BegunSignIn,
    returned: Returned,
    *,
    now: datetime,
) -> Claimed:
    if returned.issuer is not None and not _same(returned.issuer, provider.issuer):
        raise ProviderRefused(provider.name, "the answer came from another issuer")
    secret = accounts.vault.decrypt(row.secret, context=f"sign-in:{row.digest}").decode()
    return await exchange.claimed(oauth, provider, code=returned.code, secret=secret, now=now)


async def _user(
    session: AsyncSession,
    accounts: Accounts,
    provider: Provider,
    row: BegunSignIn,
    found: Claimed | None,
    *,
    here: bool,
    now: datetime,
) -> User:
    if found is None:
        assert row.proved_id is not None
        proved = await identity_rows.person(session, row.proved_id)
        if proved is None:
            raise SignInNotBegun
        return proved
    known = await identity_rows.owner(session, found.issuer, found.subject)
    if known is None:
        return await _register(session, accounts, provider, found, here=here, now=now)
    user, identity = known
    _used(accounts, identity, found, now=now)
    return user


async def _register(
    session: AsyncSession,
    accounts: Accounts,
    provider: Provider,
    found: Claimed,
    *,
    here: bool,
    now: datetime,
) -> User:
    """Under the rules of every registration. The address is never a way into an account that is
    there already.
    """
    email = _address(found.email)
    first = await repository.begin_registration(session)
    if email and await repository.by_key(session, emails.key(email)):
        raise AccountExists(provider.name)
    signing_in.admit(accounts.policy, first=first, code=None, here=here)
    if email is None:
        raise EmailMissing(provider.name)
    user = await signing_in.found(session, email=email, hashed=None, is_admin=first, now=now)
    await _add(session, accounts, provider, user, found, now=now)
    return user


def _address(email: str | None) -> str | None:
    try:
        return emails.check(email) if email else None
    except ValueError:
        return None


async def _add(
    session: AsyncSession,
    accounts: Accounts,
    provider: Provider,
    user: User,
    found: Claimed,
    *,
    now: datetime,
) -> Identity:
    identity = Identity(
        id=uuid4(),
        user_id=user.id,
        provider=provider.key,
        issuer=found.issuer,
        subject=found.subject,
        created_at=now,
    )
    _used(accounts, identity, found, now=now)
    session.add(identity)
    await session.flush()
    data = {"provider": provider.key}
    await tell(session, "account.identity_linked", user, now=now, data=data)
    return identity


def _used(accounts: Accounts, identity: Identity, found: Claimed, *, now: datetime) -> None:
    identity.email, identity.used_at = _address(found.email), now
    context = f"identity:{identity.id}"
    identity.token = accounts.vault.encrypt(found.token.encode(), context=context)


async def _judge(
    session: AsyncSession,
    accounts: Accounts,
    row: BegunSignIn,
    user: User,
    returned: Returned,
    *,
    origin: Origin,
    now: datetime,
) -> SignedIn | AutostackError:
    """A provider is one factor: an account with a second one asks for it here too. The sign-in
    then stays begun, for the code alone.
    """
    device = accounts.device_of(origin, user, now=now)
    door = failures.front_door(user.email, device)
    if returned.second_factor:
        await failures.hold(session, door, now=now)
    refusal = await codes.refusal(session, accounts, user.id, returned.second_factor, now=now)
    if refusal is not None:
        if isinstance(refusal, SecondFactorInvalid):
            await _note_failure(session, user.id, door, now=now)
        await identity_rows.begin(session, _proved(row, user), now=now)
        return refusal
    if returned.second_factor:
        await failures.forget(session, door)
    token = accounts.device_token(user, device, now=now)
    return await sessions.begin(session, user, origin, device=token, now=now)


async def _note_failure(session: AsyncSession, user_id: UUID, door: str, *, now: datetime) -> None:
    await failures.note(session, door, now=now)
    kind = "account.sign_in_failed"
    await events.emit(session, kind, team_id=None, actor_id=user_id, now=now)


def _proved(row: BegunSignIn, user: User) -> BegunSignIn:
    return BegunSignIn(
        digest=row.digest,
        provider=row.provider,
        browser=row.browser,
        secret=row.secret,
        linking_id=None,
        proved_id=user.id,
        expires_at=row.expires_at,
    )


def _token() -> str:
    return secrets.token_urlsafe(_TOKEN_BYTES)


def _digest(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())
