"""Codes an authenticator shows, and those for the day it is lost."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base


class SecondFactor(Base):
    __tablename__ = "second_factors"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    secret: Mapped[bytes]
    """Encrypted."""
    last_step: Mapped[int] = mapped_column(default=0)
    """The time step of the last code that was taken: each code is good once."""
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    """Null while nobody has shown a code of it; then it asks for nothing."""


class RecoveryCode(Base):
    __tablename__ = "recovery_codes"

    digest: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
