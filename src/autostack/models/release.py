"""A build and its configuration. Immutable; rollback brings both back."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base, Json


class Release(Base):
    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("environment_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    environment_id: Mapped[UUID] = mapped_column(ForeignKey("environments.id", ondelete="CASCADE"))
    number: Mapped[int]
    commit_sha: Mapped[str]
    commit_message: Mapped[str] = mapped_column(default="")
    plan: Mapped[Json]
    artifact: Mapped[Json]
    configuration: Mapped[bytes]
    """Sealed snapshot of the variables it was made with."""
    variables: Mapped[Json | None]
    """Their names and versions; None is a release of before these were written down."""
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    """When its artifact was removed; it can no longer be brought back."""
