"""Who asks. The user comes from an access token, or from the dashboard's cookie."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.asking import TOKEN
from autostack.core.clock import Clock
from autostack.core.errors import Forbidden, NotFound
from autostack.features.accounts import reach, service
from autostack.features.accounts.errors import CrossSiteRefused, NotSignedIn, TokenForbids
from autostack.features.accounts.providers import OAuth as OAuthValue
from autostack.features.accounts.service import Accounts as AccountsValue
from autostack.features.accounts.service import Origin
from autostack.features.accounts.tokens import Kind
from autostack.features.teams import roles
from autostack.features.teams import service as teams
from autostack.features.teams.deps import rule_of
from autostack.features.teams.roles import Demand, Standing
from autostack.models.api_token import ApiToken
from autostack.models.user import User
from autostack.web.client import address_of, is_https
from autostack.web.deps import Database, Limits, Now, Session, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A user, and what proves it: a session, or an API token instead of one."""

    user: User
    session_id: UUID
    """That of the token where there is one; whatever ends a session wants a real one."""
    token: ApiToken | None = None
    demands: tuple[Demand, ...] = ()
    """The roles that were asked for; streams ask again."""
    standing: Standing | None = None
    """In the team of what the call names first."""

    @property
    def only_project(self) -> UUID | None:
        return self.token.project_id if self.token else None


async def _accounts(request: Request) -> AccountsValue:
    found: AccountsValue = request.app.state.accounts
    return found


Accounts = Annotated[AccountsValue, Depends(_accounts)]


async def _oauth(request: Request) -> OAuthValue:
    found: OAuthValue = request.app.state.oauth
    return found


OAuth = Annotated[OAuthValue, Depends(_oauth)]


def cookie_name(request: Request) -> str:
    """`__Host-` pins the cookie to this host, and needs https."""
    return "__Host-autostack" if is_https(request) else "autostack"


def device_cookie_name(request: Request) -> str:
    return f"{cookie_name(request)}-device"


def sign_in_cookie_name(request: Request) -> str:
    """Of the browser that began to sign in elsewhere."""
    return f"{cookie_name(request)}-sign-in"


async def _origin(request: Request) -> Origin:
    agent = request.headers.get("user-agent", "").encode("ascii", "replace").decode()
    return Origin(
        address=await address_of(request),
        user_agent=agent.replace("\0", ""),
        device=request.cookies.get(device_cookie_name(request)),
    )


Asking = Annotated[Origin, Depends(_origin)]


async def _reader(
    request: Request,
    session: Session,
    now: Now,
    accounts: Accounts,
    limits: Limits,
    settings: Settings,
) -> Reader:
    text, kind = _proof(request)
    if kind == "access" and text.startswith(service.PREFIX):
        reader = await _reader_by_token(request, session, text, now=now())
    else:
        user, row = await service.who(session, accounts.signer, text, kind, now=now())
        reader = Reader(user=user, session_id=row.id)
    quota = await limits.hit(settings.api_rate, "api", str(reader.user.id))
    request.state.headers = quota.headers
    return await _in_role(request, session, reader)


async def _in_role(request: Request, session: AsyncSession, reader: Reader) -> Reader:
    """Every call of everybody passes here: the role in the team of what it names."""
    rule, name = rule_of(request), request.scope["route"].name
    body = await _body(request) if roles.reads_body(name) else None
    demands = roles.demands(rule, path=request.path_params, body=body)
    found = [await teams.expect(session, reader.user, one) for one in demands]
    return replace(reader, demands=demands, standing=found[0] if found else None)


async def _reader_by_token(
    request: Request, session: AsyncSession, text: str, *, now: datetime
) -> Reader:
    """Every call of every token passes here."""
    address = await address_of(request)
    user, token = await service.who_by_token(session, text, address=address, now=now)
    route: APIRoute = request.scope["route"]
    method, name, path = request.method, route.name, request.scope["path"]
    if not reach.allows(token.scope, operation=name, method=method, path=path):
        raise TokenForbids(f"its scope is {token.scope.value!r}")
    body = await _body(request) if name in reach.BY_BODY else None
    named = reach.named(name, path=request.path_params, query=request.query_params, body=body)
    if not await service.reaches(session, token, named, name):
        raise TokenForbids("it is for one project, and this is not about it")
    TOKEN.set(token.id)
    return Reader(user=user, session_id=token.id, token=token)


async def _body(request: Request) -> object:
    try:
        return cast("object", await request.json())
    except ValueError:
        return None


def _proof(request: Request) -> tuple[str, Kind]:
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer":
            raise NotSignedIn
        return token.strip(), "access"
    cookie = request.cookies.get(cookie_name(request))
    if cookie is None:
        raise NotSignedIn
    refuse_cross_site(request)
    return cookie, "cookie"


def refuse_cross_site(request: Request) -> None:
    """A browser says where a request comes from, and a page cannot make it lie."""
    if request.method not in reach.SAFE and request.headers.get("sec-fetch-site") != "same-origin":
        raise CrossSiteRefused


CurrentReader = Annotated[Reader, Depends(_reader)]


async def _user(reader: CurrentReader) -> User:
    return reader.user


CurrentUser = Annotated[User, Depends(_user)]


async def _waiting_reader(
    request: Request,
    db: Database,
    now: Now,
    accounts: Accounts,
    limits: Limits,
    settings: Settings,
) -> Reader:
    async with db.reading() as session:
        return await _reader(request, session, now, accounts, limits, settings)


# For calls that wait long, or use connections of their own: a request that holds one and waits
# for a second can wait for ever.
WaitingReader = Annotated[Reader, Depends(_waiting_reader)]


async def _waiting_user(reader: WaitingReader) -> User:
    return reader.user


WaitingUser = Annotated[User, Depends(_waiting_user)]


def access(reader: Reader, clock: Clock) -> Callable[[AsyncSession], Awaitable[frozenset[UUID]]]:
    """For streams: the teams this reader may read now, or the one of what the stream is about;
    none once its session, its token or its role has ended.
    """

    async def teams_now(session: AsyncSession) -> frozenset[UUID]:
        stands = service.token_stands if reader.token else service.stands
        if not await stands(session, reader.session_id, now=clock()):
            return frozenset()
        if not reader.demands:
            return await teams.ids_of_user(session, reader.user.id)
        try:
            found = [await teams.expect(session, reader.user, one) for one in reader.demands]
        except (NotFound, Forbidden):
            return frozenset()
        return frozenset(one.team_id for one in found)

    return teams_now
