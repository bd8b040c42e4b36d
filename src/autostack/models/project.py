"""An application: a repository and what the user decided about it."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base, Json


class Project(Base):
    __tablename__ = "projects"
    __table_args__ = (UniqueConstraint("team_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    """Who made it; decides nothing."""
    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    """First label of its addresses; unique on the whole platform."""
    description: Mapped[str] = mapped_column(default="")
    repo_url: Mapped[str]
    language: Mapped[str | None]
    framework: Mapped[str | None]
    database: Mapped[str | None]
    overrides: Mapped[Json] = mapped_column(default=dict)
    """engine.plan.Overrides as JSON."""
    credential: Mapped[bytes | None]
    """Sealed engine.release.Credential; only the worker can open it."""
    deploy_key: Mapped[str | None]
    """Public half of the deploy key we made."""
    build_seat: Mapped[int | None] = mapped_column(unique=True)
    """Which of the uids for builds is its own; given at its first deployment and then kept."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    """Asked to go: hidden at once, deleted when the worker has ended all of it."""
