"""After a rotation: everything that is sealed with an older key is sealed with the newest.

A row is written only if it still holds what was read, so it may be done twice, at once or after a
crash. A row that does not open keeps the older keys for ever: nothing is thrown away unread.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.crypto import Opener, SealBroken, Sealer, SealKeyMissing
from autostack.core.db import Database
from autostack.core.keyring import Keyring
from autostack.features.deployments import orders
from autostack.features.projects import service as projects
from autostack.features.variables import service as variables
from autostack.models.project import Project
from autostack.models.release import Release
from autostack.models.variable import Variable

logger = logging.getLogger(__name__)

BATCH = 50
LOOK = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A table with a column of sealed values; `context` is what a row's value is sealed for."""

    table: Any
    name: str
    context: Callable[[Any], str]

    @property
    def column(self) -> Any:  # noqa: ANN401 - of any table
        return getattr(self.table, self.name)


SHELVES = (
    Shelf(
        table=Variable,
        name="sealed",
        context=lambda row: variables.place(row.environment_id, row.name),
    ),
    Shelf(
        table=Release,
        name="configuration",
        context=lambda row: orders.context(row.environment_id),
    ),
    Shelf(table=Project, name="credential", context=lambda row: projects.place(row.id)),
)


class Resealing:
    """Looks whether a rotation is under way, and carries it to its end."""

    def __init__(
        self, db: Database, ring: Keyring, *, opener: Opener, sealer: Sealer, look: float = LOOK
    ) -> None:
        self._db = db
        self._ring = ring
        self._opener = opener
        self._sealer = sealer
        self._look = look

    async def lead(self) -> None:
        """Never returns."""
        while True:
            if self._ring.rotating:
                await self.once()
            await asyncio.sleep(self._look)

    async def once(self) -> None:
        self._ring.publish()
        for shelf in SHELVES:
            await self._go_through(shelf)
        async with self._db.transaction() as session:
            remain = await left(session, self._sealer)
        if remain == 0 and self._ring.settled:
            self._ring.retire()
            logger.info("everything is sealed with the newest key; older ones are gone")

    async def _go_through(self, shelf: Shelf) -> None:
        after = UUID(int=0)
        while True:
            async with self._db.transaction() as session:
                rows = await self._batch(session, shelf, after)
                for row in rows:
                    await self._seal_anew(session, shelf, row)
            if not rows:
                return
            after = rows[-1].id

    async def _batch(self, session: AsyncSession, shelf: Shelf, after: UUID) -> Sequence[Any]:
        row_id = shelf.table.id
        query = select(shelf.table).where(_older(shelf, self._sealer), row_id > after)
        return (await session.scalars(query.order_by(row_id).limit(BATCH))).all()

    async def _seal_anew(self, session: AsyncSession, shelf: Shelf, row: Any) -> None:  # noqa: ANN401 - of any table
        context, sealed = shelf.context(row), getattr(row, shelf.name)
        try:
            value = self._opener.open(sealed, context=context)
        except (SealBroken, SealKeyMissing) as error:
            logger.error("%s: %s", context, error)  # noqa: TRY400 - one line a row is enough
            return
        new = self._sealer.seal(value, context=context)
        unchanged = (shelf.table.id == row.id, shelf.column == sealed)
        statement = update(shelf.table).where(*unchanged).values({shelf.name: new})
        await session.execute(statement.execution_options(synchronize_session=False))


async def left(session: AsyncSession, sealer: Sealer) -> int:
    """How many values are not sealed with the newest key."""
    found = 0
    for shelf in SHELVES:
        query = select(func.count()).select_from(shelf.table).where(_older(shelf, sealer))
        found += await session.scalar(query) or 0
    return found


def _older(shelf: Shelf, sealer: Sealer) -> ColumnElement[bool]:
    header = sealer.header
    return func.substr(shelf.column, 1, len(header)) != header
