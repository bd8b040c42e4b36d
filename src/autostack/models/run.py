"""A command that somebody ran once in an environment's release."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from autostack.engine.once import RunStatus
from autostack.models.base import Base


class Run(Base):
    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_environment_created", "environment_id", "created_at"),
        Index(
            "ix_runs_unfinished",
            "environment_id",
            postgresql_where=text("status in ('pending', 'running')"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    """Also that of its row in `instances`, which holds the uid and the place it runs at."""
    environment_id: Mapped[UUID] = mapped_column(ForeignKey("environments.id", ondelete="CASCADE"))
    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"))
    """The live one when it was asked for."""
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    command: Mapped[list[str]]
    timeout: Mapped[int]
    """Seconds."""
    status: Mapped[RunStatus] = mapped_column(default=RunStatus.PENDING)
    exit_code: Mapped[int | None]
    """128 + n where signal n ended it; null where the platform ended it."""
    error_message: Mapped[str | None]
    lease: Mapped[UUID | None]
    """Fencing token: every write of a worker carries it."""
    lease_expires_at: Mapped[datetime | None]
    worker: Mapped[str | None]
    cancel_requested_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
