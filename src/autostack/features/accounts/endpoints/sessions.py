from dataclasses import replace
from uuid import UUID

from fastapi import Request, Response

from autostack.features.accounts import service
from autostack.features.accounts.deps import (
    Accounts,
    Asking,
    CurrentReader,
    CurrentUser,
    refuse_cross_site,
)
from autostack.features.accounts.endpoints import cookies
from autostack.features.accounts.errors import (
    AccountLocked,
    CredentialsInvalid,
    CrossSiteRefused,
    EmailTaken,
    NotSignedIn,
    PasswordTooCommon,
    RegistrationClosed,
    SecondFactorInvalid,
    SecondFactorNeeded,
    SessionEnded,
    SessionNotFound,
    SetupCodeNeeded,
    SignInsBusy,
)
from autostack.features.accounts.schemas import (
    Credentials,
    Me,
    RefreshToken,
    Registration,
    SessionList,
    SessionRead,
    SignedOut,
    TeamRead,
    Tokens,
    UserRead,
)
from autostack.features.accounts.service import Origin, SignedIn
from autostack.features.accounts.tokens import ACCESS_LIFE
from autostack.features.teams import service as teams
from autostack.features.teams.deps import router as routes
from autostack.web.client import is_local
from autostack.web.deps import Database, Now, Session
from autostack.web.limits import TooManyRequests
from autostack.web.problems import problems
from autostack.web.rates import per_address

router = routes("accounts", prefix="/auth", in_team=False)

_REFUSALS = (
    CredentialsInvalid,
    SecondFactorNeeded,
    SecondFactorInvalid,
    AccountLocked,
    TooManyRequests,
    SignInsBusy,
)


@router.post(
    "/register",
    dependencies=[per_address("register")],
    responses=problems(
        EmailTaken, PasswordTooCommon, RegistrationClosed, SetupCodeNeeded, TooManyRequests
    ),
)
async def register(
    body: Registration, request: Request, db: Database, accounts: Accounts, now: Now
) -> UserRead:
    """Make an account. The first one of a platform becomes its administrator."""
    user = await service.register(
        db,
        accounts,
        email=body.email,
        password=body.password,
        setup_code=body.setup_code,
        invitation=body.invitation,
        here=is_local(request),
        now=now(),
    )
    return UserRead.model_validate(user)


@router.post("/login", dependencies=[per_address("login")], responses=problems(*_REFUSALS))
async def login(
    body: Credentials,
    db: Database,
    accounts: Accounts,
    now: Now,
    asking: Asking,
) -> Tokens:
    """Sign in with e-mail and password, and a code where the account has a second factor."""
    signed = await _signed_in(body, db, accounts, now, asking)
    return tokens_of(accounts, signed, now)


@router.post(
    "/refresh",
    dependencies=[per_address("refresh")],
    responses=problems(SessionEnded, TooManyRequests),
)
async def refresh(body: RefreshToken, db: Database, accounts: Accounts, now: Now) -> Tokens:
    """Swap a refresh token for a new pair. A token that was swapped before ends its session."""
    return tokens_of(accounts, await service.refresh(db, body.refresh_token, now=now()), now)


@router.post("/logout")
async def logout(body: RefreshToken, session: Session, now: Now) -> SignedOut:
    """End the session of a refresh token; its access tokens end with it."""
    await service.sign_out(session, body.refresh_token, now=now())
    return SignedOut()


@router.post(
    "/session",
    dependencies=[per_address("login")],
    responses=problems(*_REFUSALS, CrossSiteRefused),
)
async def open_session(
    body: Credentials,
    request: Request,
    response: Response,
    db: Database,
    accounts: Accounts,
    now: Now,
    asking: Asking,
) -> UserRead:
    """Sign the dashboard in: the answer sets a cookie that scripts cannot read."""
    if "sec-fetch-site" in request.headers:
        refuse_cross_site(request)
    signed = await _signed_in(body, db, accounts, now, asking)
    cookies.let_in(request, response, accounts, signed, now)
    return UserRead.model_validate(signed.user)


@router.delete("/session", responses=problems(NotSignedIn, CrossSiteRefused))
async def close_session(
    request: Request, response: Response, reader: CurrentReader, session: Session, now: Now
) -> SignedOut:
    """Sign the dashboard out."""
    await service.revoke(session, reader.user, reader.session_id, now=now())
    cookies.forget_session(request, response)
    return SignedOut()


@router.get("/me", responses=problems(NotSignedIn, TooManyRequests))
async def me(user: CurrentUser, session: Session) -> Me:
    """Who is signed in, and the teams they are in."""
    found = await teams.of_user(session, user)
    factor = await service.factor_of(session, user)
    return Me(
        **UserRead.model_validate(user).model_dump(),
        teams=[
            TeamRead(id=team.id, name=team.name, personal=team.personal_to is not None, role=role)
            for team, role in found
        ],
        second_factor=factor.on,
        recovery_codes_left=factor.recovery_codes,
    )


@router.get("/sessions", responses=problems(NotSignedIn))
async def list_sessions(reader: CurrentReader, session: Session, now: Now) -> SessionList:
    """Where this account is signed in."""
    rows = await service.sessions_of(session, reader.user, now=now())
    return SessionList(
        items=[
            SessionRead.model_validate(row).model_copy(
                update={"current": row.id == reader.session_id}
            )
            for row in rows
        ]
    )


@router.delete("/sessions", responses=problems(NotSignedIn, CrossSiteRefused))
async def end_other_sessions(reader: CurrentReader, session: Session, now: Now) -> SignedOut:
    """Sign out everywhere but here."""
    await service.revoke_others(session, reader.user, but=reader.session_id, now=now())
    return SignedOut()


@router.delete("/sessions/{session_id}", responses=problems(NotSignedIn, SessionNotFound))
async def end_session(session_id: UUID, user: CurrentUser, session: Session, now: Now) -> SignedOut:
    """Sign out somewhere else."""
    await service.revoke(session, user, session_id, now=now())
    return SignedOut()


def tokens_of(accounts: Accounts, signed: SignedIn, now: Now) -> Tokens:
    access = accounts.signer.sign(signed.claim, "access", now=now(), life=ACCESS_LIFE)
    return Tokens(
        access_token=access,
        refresh_token=signed.refresh,
        device_token=signed.device or None,
        expires_in=int(ACCESS_LIFE.total_seconds()),
    )


async def _signed_in(
    body: Credentials, db: Database, accounts: Accounts, now: Now, asking: Asking
) -> SignedIn:
    return await service.sign_in(
        db,
        accounts,
        email=body.email,
        password=body.password,
        code=body.code,
        origin=_known(asking, body),
        now=now(),
    )


def _known(asking: Origin, body: Credentials) -> Origin:
    """Programs send in the body what browsers send as a cookie."""
    return replace(asking, device=body.device_token) if body.device_token else asking
