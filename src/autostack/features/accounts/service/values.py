"""What the account services are given, and what they give."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from autostack.core.crypto import Vault
from autostack.features.accounts.passwords import Passwords
from autostack.features.accounts.tokens import DEVICE_LIFE, Claim, Signer
from autostack.models.session import UserSession
from autostack.models.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who may register. `open_here` is for those who ask on this machine itself. `setup_code` None
    with `needs_code` lets nobody be the first.
    """

    open: bool
    open_here: bool = False
    invited: bool = False
    """Whether an invitation into a team lets its address register."""
    needs_code: bool = False
    setup_code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """What accounts work with, made once. `mail` says whether letters can be sent."""

    signer: Signer
    passwords: Passwords
    policy: Policy
    vault: Vault = field(repr=False)
    mail: bool = False

    def device_of(self, origin: "Origin", user: User | None, *, now: datetime) -> UUID | None:
        """The device this user has signed in from before, if it says so and it is true."""
        if origin.device is None or user is None:
            return None
        claim = self.signer.read(origin.device, "device", now=now)
        return claim.session_id if claim and claim.user_id == user.id else None

    def device_token(self, user: User, device: UUID | None, *, now: datetime) -> str:
        claim = Claim(user_id=user.id, session_id=device or uuid4())
        return self.signer.sign(claim, "device", now=now, life=DEVICE_LIFE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a sign-in comes from, shown to its owner. `device` is what it was given when
    somebody signed in there before.
    """

    address: str
    user_agent: str
    device: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    user: User
    session: UserSession
    refresh: str = field(repr=False)
    device: str = field(default="", repr=False)

    @property
    def claim(self) -> Claim:
        return Claim(user_id=self.user.id, session_id=self.session.id)
