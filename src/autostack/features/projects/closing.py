"""The end of an account: its projects end as if each had been removed, then it is forgotten."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.accounts import service as accounts_service
from autostack.features.accounts.deps import Accounts, WaitingUser
from autostack.features.accounts.errors import (
    AccountLocked,
    CodeWrong,
    CrossSiteRefused,
    LastAdministrator,
    NotSignedIn,
    PasswordWrong,
)
from autostack.features.accounts.schemas import Closing, Done
from autostack.features.projects import service
from autostack.features.teams import service as teams
from autostack.features.teams.deps import router as routes
from autostack.features.teams.errors import LastOwner
from autostack.models.user import User
from autostack.web.deps import Database, Now
from autostack.web.problems import problems

router = routes("accounts", prefix="/auth", in_team=False)


@router.post(
    "/account/remove",
    responses=problems(
        NotSignedIn,
        PasswordWrong,
        CodeWrong,
        AccountLocked,
        LastAdministrator,
        LastOwner,
        CrossSiteRefused,
    ),
)
async def remove_account(
    body: Closing, user: WaitingUser, db: Database, accounts: Accounts, now: Now
) -> Done:
    """Remove your account, your projects and everything they run. Nothing brings it back."""
    await accounts_service.prove(
        db, accounts, user, password=body.password, code=body.code, with_code=True, now=now()
    )
    async with db.transaction() as session:
        await close(session, user, now=now())
    return Done(detail="Your account is removed; what your projects run is being ended.")


async def close(session: AsyncSession, user: User, *, now: datetime) -> None:
    """Sessions and projects are gone for everybody at once; a worker ends what runs."""
    await teams.leave_all(session, user, now=now)
    await service.remove_all(session, by=user, now=now)
    await accounts_service.close(session, user, now=now)
    await accounts_service.purge(session)
