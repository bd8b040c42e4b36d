from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from autostack.features.accounts import email, weak
from autostack.models.api_token import Scope
from autostack.models.team import Role

Email = Annotated[
    str, Field(max_length=email.LONGEST, examples=["ada@example.com"]), AfterValidator(email.check)
]
Password = Annotated[str, Field(min_length=weak.SHORTEST, max_length=weak.LONGEST)]

Typed = Annotated[str, Field(max_length=weak.LONGEST)]
"""A password that exists already; whether it is long enough was decided when it was made."""
Code = Annotated[str, Field(max_length=40, examples=["123456"])]
LinkToken = Annotated[str, Field(max_length=200)]
"""What a mail link carries behind `#token=`."""


class Registration(BaseModel):
    email: Email
    password: Password
    setup_code: str | None = Field(default=None, max_length=200)
    """For the first account of a platform that others can reach; printed on its console."""
    invitation: LinkToken | None = None
    """Lets the invited address in where nobody else may register; accept it once signed in."""


class Credentials(BaseModel):
    email: str = Field(max_length=email.LONGEST)
    password: Typed
    code: Code | None = None
    """Of the second factor, if the account has one: the authenticator's, or a recovery code."""
    device_token: str | None = Field(default=None, max_length=1000)
    """What an earlier sign-in here was answered with: strangers cannot lock this device out."""


class RefreshToken(BaseModel):
    refresh_token: str = Field(max_length=200)


class UserRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    is_admin: bool
    created_at: datetime


class TeamRead(BaseModel):
    """A team, and what you are in it."""

    id: UUID
    name: str
    personal: bool
    role: Role


class Me(UserRead):
    teams: list[TeamRead]
    second_factor: bool
    recovery_codes_left: int


class Tokens(BaseModel):
    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105 - RFC 6750's word
    expires_in: int
    """Seconds until the access token ends."""
    device_token: str | None = None
    """Of a sign-in: send it along when you sign in from here again, so that strangers who guess
    at this account cannot lock you out.
    """


class SignedOut(BaseModel):
    detail: str = "Signed out."


class SessionRead(BaseModel):
    """A sign-in: where, when, and whether it is the one that asks."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_agent: str
    address: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    current: bool = False


class SessionList(BaseModel):
    items: list[SessionRead]
    next_cursor: str | None = None


class Done(BaseModel):
    detail: str


class PasswordChange(BaseModel):
    current_password: Typed
    new_password: Password


class ResetRequest(BaseModel):
    email: Email


class PasswordSet(BaseModel):
    token: LinkToken
    new_password: Password


class PasswordWasSet(Done):
    device_token: str
    """Send it along when you sign in: a lock of this account does not hold here."""


class EmailChangeRequest(BaseModel):
    email: Email
    password: Typed


class EmailConfirmation(BaseModel):
    token: LinkToken


class PasswordProof(BaseModel):
    password: Typed


class BothProofs(PasswordProof):
    code: Code


class CodeProof(BaseModel):
    code: Code


class Closing(PasswordProof):
    code: Code | None = None
    """Of the second factor, if the account has one."""


class ProviderRead(BaseModel):
    """Somebody one can sign in with."""

    provider: str
    name: str


class ProviderList(BaseModel):
    items: list[ProviderRead]
    next_cursor: str | None = None


class SignInBegun(BaseModel):
    url: str
    """Where the browser goes; it comes back to the dashboard with `code` and `state`."""


class SignInReturned(BaseModel):
    """What the browser came back with."""

    code: str = Field(max_length=4000)
    state: str = Field(max_length=300)
    iss: str | None = Field(default=None, max_length=300)
    """Where the provider sent it along."""
    second_factor: Code | None = None
    """Asked for by `second_factor_needed`: then send the same call again, with this."""


class IdentityRead(BaseModel):
    """An account elsewhere that signs you in here."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    provider: str
    email: str | None
    created_at: datetime
    used_at: datetime


class IdentityList(BaseModel):
    items: list[IdentityRead]
    next_cursor: str | None = None


class TotpRead(BaseModel):
    """For the authenticator, shown this once: as text to type, or as a QR code made of `uri`."""

    secret: str
    uri: str


class RecoveryCodes(BaseModel):
    """Shown this once; each lets you in once when the authenticator is lost."""

    recovery_codes: list[str]


class TokenCreate(BaseModel):
    name: str = Field(min_length=1, max_length=80, examples=["CI of the shop"])
    scope: Scope
    """`read` looks, `deploy` also brings code out and back, `admin` does all but your account."""
    project_id: UUID | None = None
    """The only project it reaches."""
    days: int = Field(default=90, ge=1, le=366)
    """How long it lives."""


class TokenRead(BaseModel):
    """A token by its first characters, and when and from where it was used last."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    hint: str
    scope: Scope
    project_id: UUID | None
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_from: str


class TokenMade(TokenRead):
    token: str
    """Shown this once."""


class PersonRead(UserRead):
    """An account, for administrators."""

    second_factor: bool
    last_seen_at: datetime | None
    """When a sign-in of theirs was used last; API tokens do not count."""
    locked_until: datetime | None
    """Wrong passwords locked it. Devices they used before, and open sessions, are not touched."""


class LimitRead(BaseModel):
    """A setting that bounds what people may do here, as it is in force."""

    model_config = ConfigDict(from_attributes=True)

    setting: str
    about: str
    value: int | float | str | None
    """Null is what `about` says happens by default."""
    unit: Literal["MB", "seconds"] | None
    is_default: bool


class LimitList(BaseModel):
    items: list[LimitRead]
    next_cursor: str | None = None


class TokenList(BaseModel):
    items: list[TokenRead]
    next_cursor: str | None = None
