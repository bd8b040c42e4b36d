"""Lists in pages. A cursor names the last row seen, so a page never repeats or skips one."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import Select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from autostack.core.errors import Invalid

T = TypeVar("T")


class CursorInvalid(Invalid):
    hint = "Use next_cursor of the page before, unchanged, or none for the first page."

    def __init__(self) -> None:
        super().__init__("This cursor is not one of ours.")


class Page(BaseModel, Generic[T]):
    items: list[T]
    next_cursor: str | None = None
    """Null on the last page."""


class Paging(BaseModel):
    """Which part of a list is wanted."""

    cursor: str | None = None
    limit: int = 50

    @property
    def after(self) -> tuple[datetime, UUID] | None:
        return decode(self.cursor) if self.cursor else None


async def _paging(
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Paging:
    return Paging(cursor=cursor, limit=limit)


PageQuery = Annotated[Paging, Depends(_paging)]


def encode(at: datetime, row_id: UUID) -> str:
    raw = json.dumps([at.isoformat(), str(row_id)]).encode()
    return urlsafe_b64encode(raw).decode().rstrip("=")


def decode(cursor: str) -> tuple[datetime, UUID]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        at, row_id = json.loads(urlsafe_b64decode(padded.encode("ascii")))
        when = datetime.fromisoformat(at)
        if when.tzinfo is None:
            raise CursorInvalid
        return when, UUID(row_id)
    except (ValueError, TypeError, AttributeError) as error:
        raise CursorInvalid from error


async def newest_first(
    session: AsyncSession,
    query: Select[T],
    *,
    at: InstrumentedAttribute[datetime],
    row_id: InstrumentedAttribute[UUID],
    paging: Paging,
) -> tuple[Sequence[T], str | None]:
    """One page of rows, and the cursor of the next."""
    if paging.after is not None:
        query = query.where(tuple_(at, row_id) < tuple_(*paging.after))
    query = query.order_by(at.desc(), row_id.desc()).limit(paging.limit + 1)
    rows = (await session.scalars(query)).all()
    shown = rows[: paging.limit]
    if len(rows) <= paging.limit:
        return shown, None
    last: Any = shown[-1]
    return shown, encode(getattr(last, at.key), getattr(last, row_id.key))
