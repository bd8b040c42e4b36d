"""Invitations into a team. A used one has no row; only digests of what proves it are kept."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base
from autostack.models.team import Role


class Invitation(Base):
    __tablename__ = "invitations"
    __table_args__ = (
        UniqueConstraint("team_id", "email_key", name="uq_invitations_team_id_email_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"))
    invited_by: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    email: Mapped[str]
    email_key: Mapped[str]
    role: Mapped[Role]
    digest: Mapped[str] = mapped_column(unique=True)
    """Of what the inviter was shown."""
    mail_digest: Mapped[str | None] = mapped_column(unique=True)
    """Of what the letter carries, which the worker made; null without a letter."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
