"""What visitors of a release got, in minutes and in hours. Old rows go; see features/traffic."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base


class Traffic(Base):
    __tablename__ = "traffic"

    environment_id: Mapped[UUID] = mapped_column(
        ForeignKey("environments.id", ondelete="CASCADE"), primary_key=True
    )
    width: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    """Seconds one row is about."""
    at: Mapped[datetime] = mapped_column(primary_key=True)
    """Their beginning."""
    release_id: Mapped[UUID] = mapped_column(
        ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True
    )
    codes: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    """Answers of 1xx, 2xx, 3xx, 4xx and 5xx."""
    gateway: Mapped[int]
    """Those among the 5xx that nobody answered: 502, 503, 504."""
    latency: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    """By the classes of engine.tally.BOUNDS."""
