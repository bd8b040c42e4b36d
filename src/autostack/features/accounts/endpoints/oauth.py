from uuid import UUID

from fastapi import Request, Response

from autostack.features.accounts import service
from autostack.features.accounts.deps import (
    Accounts,
    Asking,
    CurrentUser,
    OAuth,
    WaitingUser,
    refuse_cross_site,
    sign_in_cookie_name,
)
from autostack.features.accounts.endpoints import cookies
from autostack.features.accounts.endpoints.sessions import tokens_of
from autostack.features.accounts.errors import (
    AccountExists,
    AccountLocked,
    CodeWrong,
    CrossSiteRefused,
    EmailMissing,
    IdentityNotFound,
    IdentityTaken,
    LastWayIn,
    NotSignedIn,
    PasswordWrong,
    ProviderAway,
    ProviderRefused,
    ProviderUnknown,
    RegistrationClosed,
    SecondFactorInvalid,
    SecondFactorNeeded,
    SetupCodeNeeded,
    SignInNotBegun,
)
from autostack.features.accounts.schemas import (
    Closing,
    Done,
    IdentityList,
    IdentityRead,
    ProviderList,
    ProviderRead,
    SignInBegun,
    SignInReturned,
    Tokens,
    UserRead,
)
from autostack.features.accounts.service import Returned
from autostack.features.teams.deps import router as routes
from autostack.web.client import is_local
from autostack.web.deps import Database, Now, Session
from autostack.web.limits import TooManyRequests
from autostack.web.problems import problems
from autostack.web.rates import per_address

router = routes("accounts", prefix="/auth", in_team=False)

_FINISHING = (
    SignInNotBegun,
    ProviderUnknown,
    ProviderRefused,
    ProviderAway,
    AccountExists,
    EmailMissing,
    RegistrationClosed,
    SetupCodeNeeded,
    SecondFactorNeeded,
    SecondFactorInvalid,
    AccountLocked,
    TooManyRequests,
)


@router.get("/oauth")
async def list_providers(oauth: OAuth) -> ProviderList:
    """Whom people may sign in with here besides a password."""
    found = oauth.providers.values()
    return ProviderList(items=[ProviderRead(provider=one.key, name=one.name) for one in found])


@router.get(
    "/oauth/{provider}",
    dependencies=[per_address("oauth")],
    responses=problems(ProviderUnknown, ProviderAway, TooManyRequests),
)
async def begin_oauth(
    provider: str,
    request: Request,
    response: Response,
    db: Database,
    accounts: Accounts,
    oauth: OAuth,
    now: Now,
) -> SignInBegun:
    """Where a browser signs in. The answer sets a cookie; only with it does the way back count."""
    begun = await service.begin(db, accounts, oauth, provider, browser=_browser(request), now=now())
    cookies.set_sign_in(request, response, begun.browser)
    return SignInBegun(url=begun.url)


@router.post(
    "/oauth/{provider}",
    dependencies=[per_address("oauth")],
    responses=problems(*_FINISHING),
)
async def finish_oauth(
    provider: str,
    body: SignInReturned,
    request: Request,
    db: Database,
    accounts: Accounts,
    oauth: OAuth,
    now: Now,
    asking: Asking,
) -> Tokens:
    """Sign in with what the browser came back with; the answer is that of a sign-in. Good once."""
    signed = await service.finish(
        db,
        accounts,
        oauth,
        _returned(provider, body, request),
        origin=asking,
        here=is_local(request),
        now=now(),
    )
    return tokens_of(accounts, signed, now)


@router.post(
    "/oauth/{provider}/session",
    dependencies=[per_address("oauth")],
    responses=problems(*_FINISHING, CrossSiteRefused),
)
async def open_oauth_session(
    provider: str,
    body: SignInReturned,
    request: Request,
    response: Response,
    db: Database,
    accounts: Accounts,
    oauth: OAuth,
    now: Now,
    asking: Asking,
) -> UserRead:
    """The same for the dashboard: the answer sets its cookie."""
    refuse_cross_site(request)
    signed = await service.finish(
        db,
        accounts,
        oauth,
        _returned(provider, body, request),
        origin=asking,
        here=is_local(request),
        now=now(),
    )
    cookies.let_in(request, response, accounts, signed, now)
    return UserRead.model_validate(signed.user)


@router.get("/identities", responses=problems(NotSignedIn))
async def list_identities(user: CurrentUser, session: Session) -> IdentityList:
    """Accounts elsewhere that sign you in here."""
    rows = await service.identities_of(session, user)
    return IdentityList(items=[IdentityRead.model_validate(row) for row in rows])


@router.post(
    "/identities/{provider}",
    dependencies=[per_address("oauth")],
    responses=problems(
        NotSignedIn,
        ProviderUnknown,
        ProviderAway,
        PasswordWrong,
        CodeWrong,
        AccountLocked,
        CrossSiteRefused,
    ),
)
async def begin_link(
    provider: str,
    body: Closing,
    request: Request,
    response: Response,
    user: WaitingUser,
    db: Database,
    accounts: Accounts,
    oauth: OAuth,
    now: Now,
) -> SignInBegun:
    """Begin to link an account elsewhere to yours; finish with its `confirm`."""
    begun = await service.begin_link(
        db,
        accounts,
        oauth,
        provider,
        user,
        password=body.password,
        code=body.code,
        browser=_browser(request),
        now=now(),
    )
    cookies.set_sign_in(request, response, begun.browser)
    return SignInBegun(url=begun.url)


@router.post(
    "/identities/{provider}/confirm",
    responses=problems(
        NotSignedIn,
        SignInNotBegun,
        ProviderUnknown,
        ProviderRefused,
        ProviderAway,
        IdentityTaken,
        CrossSiteRefused,
    ),
)
async def finish_link(
    provider: str,
    body: SignInReturned,
    request: Request,
    user: WaitingUser,
    db: Database,
    accounts: Accounts,
    oauth: OAuth,
    now: Now,
) -> IdentityRead:
    """Link it; from then on it signs you in."""
    returned = _returned(provider, body, request)
    linked = await service.finish_link(db, accounts, oauth, returned, user, now=now())
    return IdentityRead.model_validate(linked)


@router.delete(
    "/identities/{identity_id}",
    responses=problems(NotSignedIn, IdentityNotFound, LastWayIn, CrossSiteRefused),
)
async def unlink_identity(identity_id: UUID, user: CurrentUser, session: Session, now: Now) -> Done:
    """It signs you in no more."""
    await service.unlink(session, user, identity_id, now=now())
    return Done(detail="The account is linked no more.")


def _browser(request: Request) -> str | None:
    """One browser, one cookie, however many tabs: two may sign in at once."""
    return request.cookies.get(sign_in_cookie_name(request))


def _returned(provider: str, body: SignInReturned, request: Request) -> Returned:
    return Returned(
        provider=provider,
        code=body.code,
        state=body.state,
        issuer=body.iss,
        second_factor=body.second_factor,
        browser=_browser(request),
    )
