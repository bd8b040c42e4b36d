from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from autostack.engine.release import GoingBack
from autostack.features.projects.schemas import Caps

# What git-check-ref-format refuses is refused later too; this keeps options and spaces out.
Branch = Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9_][^\s~^:?*\[\\\x00-\x1f]*$")]


class EnvironmentCreate(BaseModel):
    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$", examples=["staging"])
    branch: Branch | None = None
    """Deployed when a deployment names none; without it the remote's default branch."""


class Watching(BaseModel):
    """How a new release is watched there."""

    seconds: float | None = Field(
        default=None, ge=0, le=3600, description="0 is not at all; null is what the platform says."
    )
    going_back: GoingBack = Field(
        default=GoingBack.CAREFUL,
        description="`careful`: not for its traffic alone when a release command ran. `always`, "
        "or `never`: it only warns.",
    )


class EnvironmentChange(BaseModel):
    """What is left out stays as it is."""

    branch: Branch | None = None
    watch: Watching | None = None
    auto_deploy: bool | None = None
    """Whether pushes deploy it, where a hook tells of them."""
    protected: bool | None = Field(
        default=None, description="Whether only admins of the team act on it; null is no change."
    )


class EnvironmentRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    project_id: UUID
    name: str
    branch: str | None
    hostname: str
    url: str
    """Where it answers once it is deployed; without scheme."""
    scale: dict[str, int]
    watch: Watching
    limits: dict[str, Caps] = Field(description="Set for this environment alone.")
    stopped: bool
    auto_deploy: bool = Field(description="Whether pushes deploy it, where a hook tells of them.")
    protected: bool
    """Only admins of the team act on it."""
    created_at: datetime


class EnvironmentList(BaseModel):
    items: list[EnvironmentRead]
    next_cursor: str | None = None
