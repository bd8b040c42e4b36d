"""What happened, in the transaction in which it happened."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base, Json


class Event(Base):
    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_deployment", "deployment_id", "xid", "id"),
        Index("ix_events_order", "xid", "id"),
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
