"""One attempt to bring a commit into an environment."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from autostack.engine.release import Status
from autostack.models.base import Base, Json


class Kind(StrEnum):
    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    RESTART = "restart"
    """The same release again, in new instances."""
    STOP = "stop"
    """The release stays, its instances end, its domains say that it is stopped."""


class Deployment(Base):
    __tablename__ = "deployments"
    __table_args__ = (
        UniqueConstraint("project_id", "number"),
        # One runs per environment; the database keeps the promise.
        Index(
            "one_running_per_environment",
            "environment_id",
            unique=True,
            postgresql_where=text("status in ('building', 'deploying')"),
        ),
        Index(
            "one_waiting_per_environment",
            "environment_id",
            unique=True,
            postgresql_where=text("status = 'pending'"),
        ),
        Index(
            "ix_deployments_unfinished",
            "created_at",
            postgresql_where=text("status in ('pending', 'building', 'deploying')"),
        ),
        Index("ix_deployments_project_created", "project_id", "created_at"),
        Index("ix_deployments_environment_created", "environment_id", "created_at"),
        Index("ix_deployments_created", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    environment_id: Mapped[UUID] = mapped_column(ForeignKey("environments.id", ondelete="CASCADE"))
    number: Mapped[int]
    """1, 2, 3 … in its project, for people."""
    kind: Mapped[Kind] = mapped_column(default=Kind.DEPLOY)
    repo_url: Mapped[str]
    branch: Mapped[str | None]
    environment: Mapped[str]
    commit_sha: Mapped[str | None]
    commit_message: Mapped[str | None]
    commit_author: Mapped[str | None]
    upload: Mapped[str | None]
    """Digest of an uploaded tree, instead of a commit."""
    status: Mapped[Status] = mapped_column(default=Status.PENDING)
    url: Mapped[str | None]
    container_id: Mapped[str | None]
    port: Mapped[int | None]
    error_message: Mapped[str | None]
    diagnosis: Mapped[Json | None]
    """engine.release.Diagnosis as JSON."""
    warnings: Mapped[list[str]] = mapped_column(default=list)
    release_id: Mapped[UUID | None] = mapped_column(ForeignKey("releases.id", ondelete="SET NULL"))
    """Made by this deployment, or brought back by a rollback or restart."""
    lease: Mapped[UUID | None]
    """Fencing token: every write of a worker carries it."""
    lease_expires_at: Mapped[datetime | None]
    worker: Mapped[str | None]
    cancel_requested_at: Mapped[datetime | None]
    evidence: Mapped[Json | None]
    """engine.gauge.Evidence as JSON: what the switch cost visitors."""
    watch: Mapped[Json | None]
    queue: Mapped[Json | None]
    """Where it stands in the line, and why; shown while it is pending."""
    admitted_at: Mapped[datetime | None]
    """When its build got a place; it holds the place until `built_at`."""
    built_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
