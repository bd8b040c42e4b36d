from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends

from autostack.features.accounts import service as accounts
from autostack.features.accounts.deps import Accounts, CurrentReader, CurrentUser
from autostack.features.accounts.errors import (
    CrossSiteRefused,
    NotSignedIn,
    ProjectUnknown,
    TokenNotFound,
    TooManyTokens,
)
from autostack.features.accounts.schemas import Done, TokenCreate, TokenList, TokenMade, TokenRead
from autostack.features.membership import letters, service
from autostack.features.membership.errors import (
    AlreadyMember,
    InvitationInvalid,
    InvitationNotFound,
    InvitationOfAnother,
    MemberNotFound,
    OwnersOnly,
    PersonalTeam,
    ServiceNameTaken,
    ServiceRole,
    TeamNotEmpty,
    TooManyInvitations,
    TooManyTeams,
)
from autostack.features.membership.schemas import (
    InvitationAccept,
    InvitationCreate,
    InvitationList,
    InvitationMade,
    InvitationRead,
    MemberList,
    MemberRead,
    RoleChange,
    ServiceAccountCreate,
    TeamCreate,
    TeamDetail,
    TeamList,
)
from autostack.features.teams import service as teams
from autostack.features.teams.deps import router as routes
from autostack.features.teams.errors import LastOwner, RoleTooLow, TeamNotFound
from autostack.models.team import Role, Team
from autostack.models.user import User
from autostack.web.deps import Limits, Now, Session, Settings
from autostack.web.limits import TooManyRequests
from autostack.web.problems import problems

router = routes("teams")

INVITE_RATE = "60/hour"
_MISSING = (NotSignedIn, TeamNotFound)
_REFUSED = (NotSignedIn, TeamNotFound, RoleTooLow, CrossSiteRefused)


async def _role(reader: CurrentReader) -> Role:
    """Of the reader in the team that the path names."""
    assert reader.standing is not None
    return reader.standing.role


OwnRole = Annotated[Role, Depends(_role)]


@router.get("/teams", responses=problems(NotSignedIn))
async def list_teams(user: CurrentUser, session: Session) -> TeamList:
    """Your teams, and what you are in each."""
    found = await teams.of_user(session, user)
    return TeamList(items=[_team(team, role) for team, role in found])


@router.post("/teams", responses=problems(NotSignedIn, TooManyTeams, CrossSiteRefused))
async def create_team(
    body: TeamCreate, user: CurrentUser, session: Session, now: Now
) -> TeamDetail:
    """Make a team for several people; you own it."""
    made = await service.found(session, name=body.name, by=user, now=now())
    return _team(made, Role.OWNER)


@router.get("/teams/{team_id}", responses=problems(*_MISSING))
async def get_team(team_id: UUID, session: Session, role: OwnRole) -> TeamDetail:
    return _team(await teams.get(session, team_id), role)


@router.patch("/teams/{team_id}", responses=problems(*_REFUSED))
async def update_team(
    team_id: UUID, body: TeamCreate, user: CurrentUser, session: Session, now: Now, role: OwnRole
) -> TeamDetail:
    """Rename it."""
    return _team(await service.rename(session, team_id, name=body.name, by=user, now=now()), role)


@router.delete("/teams/{team_id}", responses=problems(*_REFUSED, PersonalTeam, TeamNotEmpty))
async def remove_team(team_id: UUID, user: CurrentUser, session: Session, now: Now) -> Done:
    """Delete a team without projects; its service accounts and their tokens end."""
    await service.dissolve(session, team_id, by=user, now=now())
    return Done(detail="The team is deleted.")


@router.post("/teams/{team_id}/leave", responses=problems(*_MISSING, PersonalTeam, LastOwner))
async def leave_team(team_id: UUID, user: CurrentUser, session: Session, now: Now) -> Done:
    """Leave it. The last owner stays."""
    await service.leave(session, team_id, by=user, now=now())
    return Done(detail="You are not a member of the team any more.")


@router.get("/teams/{team_id}/members", responses=problems(*_MISSING))
async def list_members(team_id: UUID, _user: CurrentUser, session: Session) -> MemberList:
    """Who is in it, and as what; service accounts too."""
    found = await service.members(session, team_id)
    return MemberList(items=[_member(user, role) for user, role in found])


@router.patch(
    "/teams/{team_id}/members/{user_id}",
    responses=problems(*_REFUSED, MemberNotFound, OwnersOnly, LastOwner, PersonalTeam, ServiceRole),
)
async def change_member(
    team_id: UUID,
    user_id: UUID,
    body: RoleChange,
    user: CurrentUser,
    session: Session,
    now: Now,
    role: OwnRole,
) -> MemberRead:
    """Give a member another role; it counts from the next call on."""
    found = await service.change_role(
        session, team_id, user_id, body.role, by=user, as_=role, now=now()
    )
    return _member(*found)


@router.delete(
    "/teams/{team_id}/members/{user_id}",
    responses=problems(*_REFUSED, MemberNotFound, OwnersOnly, LastOwner, PersonalTeam),
)
async def remove_member(
    team_id: UUID, user_id: UUID, user: CurrentUser, session: Session, now: Now, role: OwnRole
) -> Done:
    """End a membership: open streams end within seconds, and tokens reach the team no more. A
    service account is removed with its tokens.
    """
    await service.remove_member(session, team_id, user_id, by=user, as_=role, now=now())
    return Done(detail="They are not a member of the team any more.")


@router.get("/teams/{team_id}/invitations", responses=problems(*_MISSING, RoleTooLow))
async def list_invitations(
    team_id: UUID, _user: CurrentUser, session: Session, now: Now
) -> InvitationList:
    """Those that can still be accepted, the newest first."""
    rows = await service.invitations(session, team_id, now=now())
    return InvitationList(items=[InvitationRead.model_validate(row) for row in rows])


@router.post(
    "/teams/{team_id}/invitations",
    responses=problems(
        *_REFUSED,
        AlreadyMember,
        OwnersOnly,
        PersonalTeam,
        TooManyInvitations,
        TooManyRequests,
    ),
)
async def invite(
    team_id: UUID,
    body: InvitationCreate,
    user: CurrentUser,
    session: Session,
    accounts_: Accounts,
    limits: Limits,
    settings: Settings,
    now: Now,
    role: OwnRole,
) -> InvitationMade:
    """Ask somebody in by e-mail address. What accepts it is shown this once, and sent to the
    address where the platform sends mail; it is good once, for seven days.
    """
    await limits.hit(INVITE_RATE, "invite", str(user.id))
    made = await service.invite(
        session,
        team_id,
        email=body.email,
        role=body.role,
        by=user,
        as_=role,
        by_mail=accounts_.mail,
        now=now(),
    )
    shown = InvitationRead.model_validate(made.row).model_dump()
    link = letters.link(settings.web_address, made.token)
    return InvitationMade(**shown, token=made.token, link=link, mailed=accounts_.mail)


@router.delete(
    "/teams/{team_id}/invitations/{invitation_id}",
    responses=problems(*_REFUSED, InvitationNotFound),
)
async def revoke_invitation(
    team_id: UUID, invitation_id: UUID, user: CurrentUser, session: Session, now: Now
) -> Done:
    """Nobody can accept it any more."""
    await service.revoke_invitation(session, team_id, invitation_id, by=user, now=now())
    return Done(detail="The invitation is revoked.")


@router.post(
    "/invitations/accept",
    responses=problems(
        NotSignedIn, InvitationInvalid, InvitationOfAnother, AlreadyMember, CrossSiteRefused
    ),
)
async def accept_invitation(
    body: InvitationAccept, user: CurrentUser, session: Session, now: Now
) -> TeamDetail:
    """Become a member, signed in with the address that was invited."""
    team, role = await service.accept(session, token=body.token, by=user, now=now())
    return _team(team, role)


@router.post(
    "/teams/{team_id}/service-accounts",
    responses=problems(*_REFUSED, PersonalTeam, ServiceNameTaken, ServiceRole),
)
async def create_service_account(
    team_id: UUID, body: ServiceAccountCreate, user: CurrentUser, session: Session, now: Now
) -> MemberRead:
    """A member that is a program: it cannot sign in, and has API tokens alone."""
    made = await service.make_service_account(
        session, team_id, name=body.name, role=body.role, by=user, now=now()
    )
    return _member(made, body.role)


@router.get(
    "/teams/{team_id}/service-accounts/{user_id}/tokens",
    responses=problems(*_MISSING, RoleTooLow, MemberNotFound),
)
async def list_service_tokens(
    team_id: UUID, user_id: UUID, _user: CurrentUser, session: Session
) -> TokenList:
    """Its tokens, the newest first, and when each was used last."""
    account = await service.service_account(session, team_id, user_id)
    rows = await accounts.tokens_of(session, account)
    return TokenList(items=[TokenRead.model_validate(row) for row in rows])


@router.post(
    "/teams/{team_id}/service-accounts/{user_id}/tokens",
    responses=problems(*_REFUSED, MemberNotFound, ProjectUnknown, TooManyTokens),
)
async def create_service_token(
    team_id: UUID,
    user_id: UUID,
    body: TokenCreate,
    user: CurrentUser,
    session: Session,
    now: Now,
) -> TokenMade:
    """Make a token for it, shown this once."""
    account = await service.service_account(session, team_id, user_id)
    made = await accounts.make_token(
        session,
        account,
        name=body.name,
        scope=body.scope,
        project_id=body.project_id,
        life=timedelta(days=body.days),
        now=now(),
        by=user,
    )
    shown = TokenRead.model_validate(made.row).model_dump()
    return TokenMade(**shown, token=made.token)


@router.delete(
    "/teams/{team_id}/service-accounts/{user_id}/tokens/{token_id}",
    responses=problems(*_REFUSED, MemberNotFound, TokenNotFound),
)
async def revoke_service_token(
    team_id: UUID, user_id: UUID, token_id: UUID, user: CurrentUser, session: Session, now: Now
) -> Done:
    """End one at once."""
    account = await service.service_account(session, team_id, user_id)
    await accounts.revoke_token(session, account, token_id, now=now(), by=user)
    return Done(detail="The token is revoked.")


def _team(team: Team, role: Role) -> TeamDetail:
    return TeamDetail(
        id=team.id,
        name=team.name,
        personal=team.personal_to is not None,
        role=role,
        created_at=team.created_at,
    )


def _member(user: User, role: Role) -> MemberRead:
    return MemberRead(
        user_id=user.id, email=user.email, role=role, service=user.service_of is not None
    )
