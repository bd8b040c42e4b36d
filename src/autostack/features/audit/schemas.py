from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class AuditRead(BaseModel):
    """Who did what, when, and from where. `actor` is the address the account has now."""

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


class AuditList(BaseModel):
    items: list[AuditRead]
    next_cursor: str | None = None
