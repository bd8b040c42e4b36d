from autostack.features.accounts import service
from autostack.features.accounts.deps import Accounts, CurrentUser, WaitingUser
from autostack.features.accounts.errors import (
    AccountLocked,
    CodeWrong,
    CrossSiteRefused,
    NotSignedIn,
    PasswordWrong,
    SecondFactorOff,
    SecondFactorOn,
)
from autostack.features.accounts.schemas import (
    BothProofs,
    CodeProof,
    Done,
    PasswordProof,
    RecoveryCodes,
    TotpRead,
)
from autostack.features.teams.deps import router as routes
from autostack.web.deps import Database, Now, Session
from autostack.web.problems import problems

router = routes("accounts", prefix="/auth/totp", in_team=False)

_PROOFS = problems(
    NotSignedIn, PasswordWrong, CodeWrong, SecondFactorOff, AccountLocked, CrossSiteRefused
)


@router.post(
    "",
    responses=problems(NotSignedIn, PasswordWrong, SecondFactorOn, AccountLocked, CrossSiteRefused),
)
async def begin_totp(
    body: PasswordProof, user: WaitingUser, db: Database, accounts: Accounts, now: Now
) -> TotpRead:
    """Begin with an authenticator. Nothing is asked of it before a first code was confirmed."""
    made = await service.begin_totp(db, accounts, user, password=body.password, now=now())
    return TotpRead(secret=made.secret, uri=made.uri)


@router.post(
    "/confirm",
    responses=problems(NotSignedIn, CodeWrong, SecondFactorOff, SecondFactorOn, CrossSiteRefused),
)
async def confirm_totp(
    body: CodeProof, user: CurrentUser, session: Session, accounts: Accounts, now: Now
) -> RecoveryCodes:
    """Turn the second factor on with a first code of it."""
    made = await service.confirm_totp(session, accounts, user, code=body.code, now=now())
    return RecoveryCodes(recovery_codes=made)


@router.post("/remove", responses=_PROOFS)
async def remove_totp(
    body: BothProofs, user: WaitingUser, db: Database, accounts: Accounts, now: Now
) -> Done:
    """Turn the second factor off; the recovery codes go with it."""
    await service.remove_totp(db, accounts, user, password=body.password, code=body.code, now=now())
    return Done(detail="The second factor is off.")


@router.post("/recovery-codes", responses=_PROOFS)
async def new_recovery_codes(
    body: BothProofs, user: WaitingUser, db: Database, accounts: Accounts, now: Now
) -> RecoveryCodes:
    """Make new recovery codes; the old ones are good for nothing any more."""
    made = await service.new_recovery_codes(
        db, accounts, user, password=body.password, code=body.code, now=now()
    )
    return RecoveryCodes(recovery_codes=made)
