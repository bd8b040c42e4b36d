"""The history of who did what: events, read backwards, and written out for other programs."""

import csv
import io
from collections.abc import AsyncIterator, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.features.audit import repository
from autostack.features.audit.errors import OnlyAdministrators
from autostack.features.audit.schemas import AuditChoice, AuditChoices, AuditRead
from autostack.features.events import service as events
from autostack.features.events.service import Search
from autostack.features.teams import service as teams
from autostack.models.team import Role
from autostack.models.user import User

BATCH = 500
COLUMNS = tuple(AuditRead.model_fields)


async def allowed(
    session: AsyncSession, wanted: Search, *, reader: User, everything: bool
) -> Search:
    """The search, narrowed to what the reader may see: the teams they administer, and what they
    did themselves.
    """
    if everything and not reader.is_admin:
        raise OnlyAdministrators
    if everything:
        return wanted
    own = await teams.ids_of_user(session, reader.id, least=Role.ADMIN)
    return wanted.within(teams=own, person=reader.id)


async def choices(session: AsyncSession, wanted: Search) -> AuditChoices:
    """What a search that was allowed may be narrowed to, by name."""
    projects = await repository.projects(session, reader=wanted.person)
    people = await repository.people(session, teams=wanted.teams)
    return AuditChoices(projects=_choices(projects), people=_choices(people))


def _choices(found: repository.Named) -> list[AuditChoice]:
    return [AuditChoice(id=one, name=name) for one, name in found]


async def page(session: AsyncSession, wanted: Search) -> Sequence[AuditRead]:
    return [
        AuditRead.model_validate({**_columns(one), "actor": actor, "project": project})
        for one, actor, project in await events.history(session, wanted)
    ]


def _columns(one: object) -> dict[str, object]:
    return {name: getattr(one, name) for name in COLUMNS if name not in {"actor", "project"}}


async def export(db: Database, wanted: Search, *, as_csv: bool) -> AsyncIterator[bytes]:
    """Everything, newest first, in batches: no connection is held between them."""
    if as_csv:
        yield _row(COLUMNS)
    while True:
        async with db.transaction() as session:
            found = await page(session, wanted)
        for one in found:
            yield _csv(one) if as_csv else one.model_dump_json().encode() + b"\n"
        if len(found) < wanted.limit:
            return
        wanted = wanted.behind(found[-1].id)


def _csv(one: AuditRead) -> bytes:
    values = one.model_dump(mode="json") | {"data": one.model_dump_json(include={"data"})}
    return _row([_cell(values[name]) for name in COLUMNS])


def _cell(value: object) -> str:
    """A spreadsheet takes some first characters for the beginning of a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _row(values: Sequence[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue().encode()
