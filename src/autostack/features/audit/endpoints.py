from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime

from autostack.features.accounts.deps import CurrentUser, WaitingUser
from autostack.features.accounts.errors import NotSignedIn
from autostack.features.audit import service
from autostack.features.audit.errors import OnlyAdministrators
from autostack.features.audit.schemas import AuditChoices, AuditList
from autostack.features.events.service import Search
from autostack.features.teams.deps import router as routes
from autostack.web.deps import Database, Session
from autostack.web.problems import problems

router = routes("audit", prefix="/audit")

_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Newest first.",
        "content": {
            "application/x-ndjson": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


Changes = Annotated[
    bool, Query(description="Only what somebody decided, and how it ended; no steps on the way.")
]


async def _search(
    kind: Annotated[
        str | None, Query(max_length=80, description="As `account.`, or whole.")
    ] = None,
    actor_id: UUID | None = None,
    project_id: UUID | None = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    changes: Changes = False,  # noqa: FBT002 - a query parameter
) -> Search:
    return Search(
        kind=kind,
        actor_id=actor_id,
        project_id=project_id,
        since=since,
        until=until,
        changes=changes,
    )


Asked = Annotated[Search, Depends(_search)]
Everything = Annotated[bool, Query(description="Of the whole platform, for administrators.")]
Cursor = Annotated[int | None, Query(ge=1, lt=2**63)]


@router.get("", responses=problems(NotSignedIn, OnlyAdministrators))
async def list_audit(
    user: CurrentUser,
    session: Session,
    asked: Asked,
    everything: Everything = False,  # noqa: FBT002 - a query parameter
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AuditList:
    """Who did what, newest first, in your teams and with your account."""
    wanted = await service.allowed(session, asked, reader=user, everything=everything)
    found = await service.page(session, wanted.behind(cursor, limit=limit))
    return AuditList(
        items=list(found), next_cursor=str(found[-1].id) if len(found) == limit else None
    )


@router.get("/choices", responses=problems(NotSignedIn, OnlyAdministrators))
async def list_audit_choices(
    user: CurrentUser,
    session: Session,
    everything: Everything = False,  # noqa: FBT002 - a query parameter
) -> AuditChoices:
    """What the history may be narrowed to: your projects, and who is in the teams you
    administer.
    """
    wanted = await service.allowed(session, Search(), reader=user, everything=everything)
    return await service.choices(session, wanted)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={**_FILES, **problems(NotSignedIn, OnlyAdministrators)},
)
async def export_audit(
    user: WaitingUser,
    db: Database,
    asked: Asked,
    everything: Everything = False,  # noqa: FBT002 - a query parameter
    form: Annotated[Literal["ndjson", "csv"], Query(alias="format")] = "ndjson",
) -> StreamingResponse:
    """The same as a file: a JSON document a line, or a table."""
    async with db.transaction() as session:
        wanted = await service.allowed(session, asked, reader=user, everything=everything)
    kind = "text/csv" if form == "csv" else "application/x-ndjson"
    lines = service.export(db, wanted.behind(None, limit=service.BATCH), as_csv=form == "csv")
    headers = {"Content-Disposition": f'attachment; filename="audit.{form}"'}
    return StreamingResponse(lines, media_type=kind, headers=headers)
