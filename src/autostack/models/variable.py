"""Configuration of an environment. Values are sealed; the api cannot open them."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base


class Variable(Base):
    __tablename__ = "variables"
    __table_args__ = (UniqueConstraint("environment_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    environment_id: Mapped[UUID] = mapped_column(ForeignKey("environments.id", ondelete="CASCADE"))
    name: Mapped[str]
    sealed: Mapped[bytes]
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]
    updated_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class VariablePast(Base):
    """What is remembered of a variable that was removed: a later value has a later version."""

    __tablename__ = "variable_pasts"

    environment_id: Mapped[UUID] = mapped_column(
        ForeignKey("environments.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int]
    """The version it had when it was removed."""
    revoked: Mapped[int]
    """No release that carries this version, or an earlier one, is brought back; 0 revokes none."""
    revoked_at: Mapped[datetime | None]
