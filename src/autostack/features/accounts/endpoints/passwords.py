from fastapi import Request, Response

from autostack.features.accounts import service
from autostack.features.accounts.deps import Accounts, Asking, WaitingReader
from autostack.features.accounts.endpoints import cookies
from autostack.features.accounts.errors import (
    AccountLocked,
    CrossSiteRefused,
    EmailTaken,
    LinkInvalid,
    MailNotConfigured,
    NotSignedIn,
    PasswordTooCommon,
    PasswordWrong,
)
from autostack.features.accounts.schemas import (
    Done,
    EmailChangeRequest,
    EmailConfirmation,
    PasswordChange,
    PasswordSet,
    PasswordWasSet,
    ResetRequest,
    UserRead,
)
from autostack.features.teams.deps import router as routes
from autostack.web.deps import Database, Now, Session
from autostack.web.limits import TooManyRequests
from autostack.web.problems import problems
from autostack.web.rates import per_address

router = routes("accounts", prefix="/auth", in_team=False)

_SENT = "If there is such an account, a letter is on its way."


@router.post(
    "/password",
    responses=problems(
        NotSignedIn, PasswordWrong, PasswordTooCommon, AccountLocked, CrossSiteRefused
    ),
)
async def change_password(
    body: PasswordChange, reader: WaitingReader, db: Database, accounts: Accounts, now: Now
) -> Done:
    """Set another password. Every other session of the account ends."""
    await service.change_password(
        db,
        accounts,
        reader.user,
        current=body.current_password,
        new=body.new_password,
        session_id=reader.session_id,
        now=now(),
    )
    return Done(detail="The password is changed; you are signed out everywhere else.")


@router.post(
    "/password/reset",
    dependencies=[per_address("reset")],
    responses=problems(MailNotConfigured, TooManyRequests),
)
async def request_password_reset(
    body: ResetRequest,
    session: Session,
    accounts: Accounts,
) -> Done:
    """Send a link that sets a new password. The answer is the same for every address."""
    await service.request_reset(session, accounts, body.email)
    return Done(detail=_SENT)


@router.post(
    "/password/reset/confirm",
    dependencies=[per_address("link")],
    responses=problems(LinkInvalid, PasswordTooCommon, TooManyRequests),
)
async def confirm_password_reset(
    body: PasswordSet,
    request: Request,
    response: Response,
    db: Database,
    accounts: Accounts,
    now: Now,
    asking: Asking,
) -> PasswordWasSet:
    """Set a new password by a link's token. All sessions end, a lock is lifted, and this device
    is a known one from now on.
    """
    device = await service.finish_reset(
        db, accounts, token=body.token, new=body.new_password, origin=asking, now=now()
    )
    cookies.set_device(request, response, device)
    return PasswordWasSet(detail="The password is set. Sign in with it.", device_token=device)


@router.post(
    "/email",
    responses=problems(
        NotSignedIn, PasswordWrong, AccountLocked, MailNotConfigured, CrossSiteRefused
    ),
)
async def request_email_change(
    body: EmailChangeRequest, reader: WaitingReader, db: Database, accounts: Accounts, now: Now
) -> Done:
    """Ask for another address. It counts once the link sent there is followed."""
    await service.request_email_change(
        db, accounts, reader.user, email=body.email, password=body.password, now=now()
    )
    return Done(detail="A letter is on its way to the new address.")


@router.post(
    "/email/confirm",
    dependencies=[per_address("link")],
    responses=problems(LinkInvalid, EmailTaken, TooManyRequests),
)
async def confirm_email(
    body: EmailConfirmation,
    session: Session,
    now: Now,
) -> UserRead:
    """Take the address a link was sent to; the one before is told."""
    return UserRead.model_validate(
        await service.confirm_email(session, token=body.token, now=now())
    )
