"""Where an environment's domains lead. One row an environment; the generation only grows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base


class Route(Base):
    __tablename__ = "routes"

    environment_id: Mapped[UUID] = mapped_column(
        ForeignKey("environments.id", ondelete="CASCADE"), primary_key=True
    )
    generation: Mapped[int]
    release_id: Mapped[UUID] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"))
    deployment_id: Mapped[UUID] = mapped_column(ForeignKey("deployments.id", ondelete="CASCADE"))
    targets: Mapped[list[str]]
    changed_at: Mapped[datetime]
