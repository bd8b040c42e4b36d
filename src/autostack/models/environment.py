"""Production, staging, preview-pr-7: where a project runs."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base, Json


class Environment(Base):
    __tablename__ = "environments"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str]
    branch: Mapped[str | None]
    """None follows the remote's default branch."""
    hostname: Mapped[str] = mapped_column(unique=True)
    """`shop` or `shop-staging`: the label in front of .localhost or the base domain."""
    loopback: Mapped[str] = mapped_column(unique=True)
    """Its own 127.x.y.z, routed by the edge when there is no base domain."""
    scale: Mapped[Json] = mapped_column(default=dict)
    """Instances wanted per process type; absent means what the plan says."""
    watch: Mapped[Json] = mapped_column(default=dict)
    """engine.order.WatchRule as JSON."""
    limits: Mapped[Json] = mapped_column(default=dict, server_default="{}")
    """engine.plan.Caps per process type; absent means what the plan says."""
    stopped: Mapped[bool] = mapped_column(default=False)
    pause: Mapped[Json | None]
    """Why pushes deploy nothing here: `{"by": user id, "rollback": bool}`; none when they do."""
    protected: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Only admins of the team act on it."""
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    """Asked to go; see Project.removed_at."""
