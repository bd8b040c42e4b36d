"""Who somebody is elsewhere, and sign-ins there that were begun."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from autostack.models.base import Base


class Identity(Base):
    """The issuer and its subject are the identity; the address is for people to read."""

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    provider: Mapped[str]
    issuer: Mapped[str]
    subject: Mapped[str]
    email: Mapped[str | None]
    token: Mapped[bytes]
    """What the provider gave us to ask it with, encrypted."""
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]


class BegunSignIn(Base):
    """Good once, in the browser that began it. Only digests of what it was given are kept."""

    __tablename__ = "begun_sign_ins"

    digest: Mapped[str] = mapped_column(primary_key=True)
    """Of the state."""
    provider: Mapped[str]
    browser: Mapped[str]
    """Digest of the browser's cookie."""
    secret: Mapped[bytes]
    """Encrypted: the verifier of PKCE, and what the nonce is made from."""
    linking_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """The signed-in user who wants to add an identity; none begins a session."""
    proved_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """Whom the provider has vouched for already; only the second factor is missing."""
    expires_at: Mapped[datetime]
