from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from autostack.features.accounts import email, passwords

Email = Annotated[
    str, Field(max_length=email.LONGEST, examples=["ada@example.com"]), AfterValidator(email.check)
]
Password = Annotated[str, Field(min_length=passwords.SHORTEST, max_length=passwords.LONGEST)]


class Registration(BaseModel):
    email: Email
    password: Password
    setup_code: str | None = Field(default=None, max_length=200)
    """For the first account of a platform that others can reach; printed on its console."""


class Credentials(BaseModel):
    email: str = Field(max_length=email.LONGEST)
    password: str = Field(max_length=passwords.LONGEST)


class RefreshToken(BaseModel):
    refresh_token: str = Field(max_length=200)


class UserRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    is_admin: bool
    created_at: datetime


class TeamRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str


class Me(UserRead):
    teams: list[TeamRead]


class Tokens(BaseModel):
    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105 - RFC 6750's word
    expires_in: int
    """Seconds until the access token ends."""


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
