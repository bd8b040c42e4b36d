from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class EventRead(BaseModel):
    """Something that happened. `kind` says what, `data` the particulars."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    project_id: UUID | None
    deployment_id: UUID | None
    actor_id: UUID | None
    data: dict[str, Any]
    at: datetime
