"""Answers already given, by the caller's Idempotency-Key."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base


class IdempotencyKey(Base):
    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(primary_key=True)
    request_digest: Mapped[str]
    """The same key with another request is an error, not an answer."""
    resource_id: Mapped[UUID]
    created_at: Mapped[datetime]
