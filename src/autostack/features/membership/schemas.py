from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from autostack.features.accounts.schemas import Email, LinkToken
from autostack.features.projects.schemas import Name
from autostack.models.team import Role

ServiceName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]


class TeamCreate(BaseModel):
    name: Name


class TeamDetail(BaseModel):
    """A team, and what you are in it. A personal one has no other members."""

    id: UUID
    name: str
    personal: bool
    role: Role
    created_at: datetime


class TeamList(BaseModel):
    items: list[TeamDetail]
    next_cursor: str | None = None


class MemberRead(BaseModel):
    """A person by e-mail address, or a service account by its name."""

    user_id: UUID
    email: str
    role: Role
    service: bool


class MemberList(BaseModel):
    items: list[MemberRead]
    next_cursor: str | None = None


class RoleChange(BaseModel):
    role: Role


class InvitationCreate(BaseModel):
    email: Email
    role: Role = Role.DEVELOPER


class InvitationRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    role: Role
    created_at: datetime
    expires_at: datetime


class InvitationMade(InvitationRead):
    """What accepts it, shown this once; only a digest is kept."""

    token: str
    link: str
    mailed: bool
    """Whether a letter goes to the address; without one hand the link on yourself."""


class InvitationList(BaseModel):
    items: list[InvitationRead]
    next_cursor: str | None = None


class InvitationAccept(BaseModel):
    token: LinkToken


class ServiceAccountCreate(BaseModel):
    name: ServiceName = Field(examples=["ci"])
    role: Role = Role.DEVELOPER
    """`developer` at most."""
