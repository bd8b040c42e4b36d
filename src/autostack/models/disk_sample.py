"""How full the disk was: a row an hour for eight days, to tell when it will be full."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base, Json


class DiskSample(Base):
    __tablename__ = "disk_samples"

    hour: Mapped[datetime] = mapped_column(primary_key=True)
    measured_at: Mapped[datetime]
    total: Mapped[int]
    free: Mapped[int]
    parts: Mapped[Json]
    """Bytes that belong to no project, by what they are."""
