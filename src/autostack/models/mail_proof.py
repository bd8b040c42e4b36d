"""What a mail link proves. Only digests of links are kept."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base


class PasswordReset(Base):
    __tablename__ = "password_resets"

    digest: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class EmailChange(Base):
    """The address an account wants to have; the newest wish replaces the one before."""

    __tablename__ = "email_changes"

    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    email: Mapped[str]
    digest: Mapped[str | None] = mapped_column(unique=True)
    """Null until the link is sent."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
