"""What administrators see of the people here, and do for them."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from autostack.features.accounts import email as emails
from autostack.features.accounts import limits, service
from autostack.features.accounts.deps import CurrentUser
from autostack.features.accounts.errors import (
    AccountNotFound,
    CrossSiteRefused,
    NotAdministrator,
    NotSignedIn,
    OwnSecondFactor,
)
from autostack.features.accounts.schemas import (
    Done,
    LimitList,
    LimitRead,
    PersonRead,
    UserRead,
)
from autostack.features.accounts.service import Person
from autostack.features.teams.deps import router as routes
from autostack.web.deps import Now, Session, Settings
from autostack.web.pages import CursorInvalid, Page, PageQuery
from autostack.web.problems import problems

router = routes("administration", prefix="/admin", in_team=False)

Search = Annotated[
    str, Query(max_length=emails.LONGEST, description="A part of the e-mail address.")
]


@router.get("/users", responses=problems(NotSignedIn, NotAdministrator, CursorInvalid))
async def list_users(
    user: CurrentUser, session: Session, paging: PageQuery, now: Now, search: Search = ""
) -> Page[PersonRead]:
    """Every account of the platform, newest first. For administrators."""
    service.check_administrator(user)
    found, cursor = await service.page_of_people(session, paging, search=search, now=now())
    return Page(items=[_read(one) for one in found], next_cursor=cursor)


@router.post(
    "/users/{user_id}/unlock",
    responses=problems(NotSignedIn, NotAdministrator, AccountNotFound, CrossSiteRefused),
)
async def unlock_user(user_id: UUID, user: CurrentUser, session: Session, now: Now) -> Done:
    """Lift the lock that wrong passwords made. For administrators."""
    service.check_administrator(user)
    whose = await service.person(session, user_id)
    await service.unlock(session, whose, by=user, now=now())
    return Done(detail="Unlocked.")


@router.post(
    "/users/{user_id}/reset-totp",
    responses=problems(
        NotSignedIn, NotAdministrator, OwnSecondFactor, AccountNotFound, CrossSiteRefused
    ),
)
async def reset_totp(user_id: UUID, user: CurrentUser, session: Session, now: Now) -> Done:
    """Turn the second factor of somebody else off, when phone and recovery codes are lost. For
    administrators.
    """
    service.check_administrator(user)
    whose = await service.person(session, user_id)
    await service.reset_totp(session, whose, by=user, now=now())
    return Done(detail="The second factor is off.")


@router.get("/limits", responses=problems(NotSignedIn, NotAdministrator))
async def list_limits(user: CurrentUser, settings: Settings) -> LimitList:
    """The settings that bound what people may do here, as they are in force. For
    administrators.
    """
    service.check_administrator(user)
    return LimitList(items=[LimitRead.model_validate(one) for one in limits.in_force(settings)])


def _read(one: Person) -> PersonRead:
    return PersonRead(
        **UserRead.model_validate(one.user).model_dump(),
        second_factor=one.second_factor,
        last_seen_at=one.last_seen_at,
        locked_until=one.locked_until,
    )
