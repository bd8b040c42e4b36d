"""Steps of a deployment; a row is written before the step acts."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from autostack.engine import release as engine
from autostack.models.base import Base, Json


class Step(Base):
    __tablename__ = "steps"
    __table_args__ = (UniqueConstraint("deployment_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    deployment_id: Mapped[UUID] = mapped_column(ForeignKey("deployments.id", ondelete="CASCADE"))
    name: Mapped[engine.Step]
    attempt: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[engine.Outcome | None]
    kept: Mapped[Json | None]
    """What it left behind, so that doing it again is harmless."""
