"""Push hooks: a forge tells us of a push, and what we decided about each delivery."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base


class Provider(StrEnum):
    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"


class Outcome(StrEnum):
    DEPLOYED = "deployed"
    PAUSED = "paused"
    """It would deploy, were automatic deployments not paused."""
    IGNORED = "ignored"
    DUPLICATE = "duplicate"
    """Answered, but no row of its own."""


class Hook(Base):
    __tablename__ = "hooks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    project_id: Mapped[UUID] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )
    environment_id: Mapped[UUID] = mapped_column(
        ForeignKey("environments.id", ondelete="CASCADE"), index=True
    )
    provider: Mapped[Provider]
    digest: Mapped[str] = mapped_column(unique=True)
    """Of the token in its address; the token itself is shown once."""
    secret: Mapped[bytes]
    """Encrypted: the api must read it to check signatures."""
    created_at: Mapped[datetime]


class Delivery(Base):
    __tablename__ = "deliveries"
    __table_args__ = (
        # Handled once; the database keeps the promise.
        UniqueConstraint("hook_id", "key"),
        Index("ix_deliveries_hook_at", "hook_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    hook_id: Mapped[UUID] = mapped_column(ForeignKey("hooks.id", ondelete="CASCADE"))
    key: Mapped[str]
    """What the forge calls this delivery."""
    body_digest: Mapped[str]
    event: Mapped[str]
    branch: Mapped[str | None]
    commit_sha: Mapped[str | None]
    outcome: Mapped[Outcome]
    decision: Mapped[str]
    """In words."""
    deployment_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("deployments.id", ondelete="SET NULL")
    )
    at: Mapped[datetime]
