from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class AuditRead(BaseModel):
    """Who did what, when, and from where. `actor` is the address the account has now, `project`
    the name of the project, if the reader may see it now.
    """

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: datetime
    kind: str
    actor_id: UUID | None
    actor: str | None
    address: str | None
    token_id: UUID | None
    """The API token it was done with."""
    team_id: UUID | None
    project_id: UUID | None
    deployment_id: UUID | None
    data: dict[str, Any]
    project: str | None


class AuditList(BaseModel):
    items: list[AuditRead]
    next_cursor: str | None = None


class AuditChoice(BaseModel):
    id: UUID
    name: str
    """For people the address their account has now."""


class AuditChoices(BaseModel):
    """By name. What is gone by now is not among them, but still in the history."""

    projects: list[AuditChoice] = Field(description="For `project_id`.")
    people: list[AuditChoice] = Field(description="For `actor_id`.")
