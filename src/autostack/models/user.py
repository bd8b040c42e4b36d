"""People who sign in."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base


class User(Base):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    """Canonical form: two spellings of one address are one account."""
    password_hash: Mapped[str | None]
    is_admin: Mapped[bool] = mapped_column(default=False)
    github_token: Mapped[bytes | None]
    """Encrypted; so is google_token."""
    google_token: Mapped[bytes | None]
    service_of: Mapped[UUID | None] = mapped_column(
        ForeignKey("teams.id", ondelete="CASCADE", use_alter=True), index=True
    )
    """A service account of this team: cannot sign in, has API tokens alone, and a name for an
    address.
    """
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    """Asked to go: cannot sign in, and deleted when the last of its projects is."""
