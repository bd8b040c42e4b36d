"""Failed sign-ins, counted per canonical e-mail whether the account exists or not."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base


class LoginFailure(Base):
    __tablename__ = "login_failures"

    email_digest: Mapped[str] = mapped_column(primary_key=True)
    first_at: Mapped[datetime]
    count: Mapped[int]
    locked_until: Mapped[datetime | None]
