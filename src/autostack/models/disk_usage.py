"""What each project holds on this machine's disk, as it was measured last. Bytes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base


class DiskUsage(Base):
    __tablename__ = "disk_usage"

    project_id: Mapped[UUID] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
    )
    releases: Mapped[int] = mapped_column(default=0)
    caches: Mapped[int] = mapped_column(default=0)
    logs: Mapped[int] = mapped_column(default=0)
    images: Mapped[int] = mapped_column(default=0)
    uploads: Mapped[int] = mapped_column(default=0)
    mirrors: Mapped[int] = mapped_column(default=0)
    """Copies of the repository, and trees made of it."""
    measured_at: Mapped[datetime]
