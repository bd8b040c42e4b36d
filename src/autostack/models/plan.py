"""A question `what would you do with this repository?`, answered by the worker."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base, Json


class PlanRequest(Base):
    __tablename__ = "plan_requests"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    repo_url: Mapped[str]
    branch: Mapped[str | None]
    root: Mapped[str | None]
    plan: Mapped[Json | None]
    problem: Mapped[Json | None]
    """title, status, detail, code, hint: the answer when there is no plan."""
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
