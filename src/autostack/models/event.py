"""What happened, in the transaction in which it happened."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DDL, BigInteger, Identity, Index, event
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base, Json


class Event(Base):
    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_deployment", "deployment_id", "xid", "id"),
        Index("ix_events_order", "xid", "id"),
        Index("ix_events_at", "at", "id"),
        Index("ix_events_actor", "actor_id", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    xid: Mapped[int]
    """pg_current_xact_id(): ids commit out of order, readers wait for older transactions."""
    kind: Mapped[str]
    team_id: Mapped[UUID | None] = mapped_column(index=True)
    project_id: Mapped[UUID | None]
    deployment_id: Mapped[UUID | None]
    actor_id: Mapped[UUID | None]
    data: Mapped[Json]
    at: Mapped[datetime]
    address: Mapped[str | None]
    """From where it was asked for."""
    token_id: Mapped[UUID | None]
    """The API token it was asked for with."""


APPEND_ONLY = (
    """create function events_are_history() returns trigger language plpgsql as $$
    begin raise exception 'events are never changed or removed'; end $$""",
    """create trigger events_are_history before update or delete or truncate on events
    for each statement execute function events_are_history()""",
)
for _statement in APPEND_ONLY:
    event.listen(Event.__table__, "after_create", DDL(_statement))  # type: ignore[no-untyped-call]
