from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from autostack.models.hook import Outcome, Provider


class HookCreate(BaseModel):
    provider: Provider
    environment: str = Field(default="production", min_length=1, max_length=63)
    """Pushes to the branch it follows deploy it."""


class HookRead(BaseModel):
    id: UUID
    provider: Provider
    environment: str
    created_at: datetime


class HookList(BaseModel):
    items: list[HookRead]
    next_cursor: str | None = None


class HookMade(HookRead):
    url: str
    """Where the forge sends pushes to. Shown this once, as is the secret."""
    secret: str
    note: str | None = None
    """What stands in the way of a forge that would use it now."""


class HookSecret(BaseModel):
    secret: str
    """Shown this once; the one before is good for nothing any more."""


class DeliveryRead(BaseModel):
    """What a forge sent, and what was decided about it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    key: str
    """The forge's own name for it."""
    event: str
    branch: str | None
    commit_sha: str | None
    outcome: Outcome
    decision: str
    deployment_id: UUID | None
    at: datetime


class Handled(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    outcome: Outcome
    decision: str
    """In words."""
    deployment_id: UUID | None = None
