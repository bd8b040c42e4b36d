from datetime import timedelta
from uuid import UUID

from autostack.features.accounts import service
from autostack.features.accounts.deps import CurrentUser
from autostack.features.accounts.errors import (
    CrossSiteRefused,
    NotSignedIn,
    ProjectUnknown,
    TokenNotFound,
    TooManyTokens,
)
from autostack.features.accounts.schemas import Done, TokenCreate, TokenList, TokenMade, TokenRead
from autostack.features.teams.deps import router as routes
from autostack.web.deps import Now, Session
from autostack.web.problems import problems

router = routes("accounts", prefix="/auth/tokens", in_team=False)


@router.post("", responses=problems(NotSignedIn, ProjectUnknown, TooManyTokens, CrossSiteRefused))
async def create_token(
    body: TokenCreate, user: CurrentUser, session: Session, now: Now
) -> TokenMade:
    """Make a token for a program. It is shown this once; send it as `Authorization: Bearer`."""
    made = await service.make_token(
        session,
        user,
        name=body.name,
        scope=body.scope,
        project_id=body.project_id,
        life=timedelta(days=body.days),
        now=now(),
    )
    shown = TokenRead.model_validate(made.row).model_dump()
    return TokenMade(**shown, token=made.token)


@router.get("", responses=problems(NotSignedIn))
async def list_tokens(user: CurrentUser, session: Session) -> TokenList:
    """Your tokens, the newest first, and when each was used last."""
    rows = await service.tokens_of(session, user)
    return TokenList(items=[TokenRead.model_validate(row) for row in rows])


@router.delete("/{token_id}", responses=problems(NotSignedIn, TokenNotFound, CrossSiteRefused))
async def revoke_token(token_id: UUID, user: CurrentUser, session: Session, now: Now) -> Done:
    """End a token at once."""
    await service.revoke_token(session, user, token_id, now=now())
    return Done(detail="The token is revoked.")
