from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from autostack.core.uploads import DIGEST
from autostack.engine.release import InstanceState, Outcome, Status, Step
from autostack.features.projects.schemas import Caps
from autostack.models.deployment import Kind

Ref = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\s\x00-\x1f-]\S*$")
]
Count = Annotated[int, Field(ge=0, le=50)]
ProcessName = Annotated[str, StringConstraints(min_length=1, max_length=63)]


class DeploymentCreate(BaseModel):
    project_id: UUID
    branch: Ref | None = Field(default=None, description="Branch, tag or commit.")
    environment: str = Field(default="production", min_length=1, max_length=63)
    upload: str | None = Field(
        default=None,
        pattern=f"^{DIGEST}$",
        description="What POST /projects/{id}/uploads answered: deploy this, not the repository.",
    )

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.upload is not None and self.branch is not None:
            raise ValueError("an upload has no branch: give one of both")
        return self


class Rollback(BaseModel):
    """Which release to bring back; by default the one before the current one."""

    release_id: UUID | None = None
    deployment_id: UUID | None = None
    pause_auto_deploy: bool = False
    """Pushes deploy nothing there until `auto_deploy` of the environment is set again."""


class Scale(BaseModel):
    processes: dict[ProcessName, Count] = Field(max_length=20)


class Limits(BaseModel):
    """Per process type; a type without any of the three gets its defaults back."""

    processes: dict[ProcessName, Caps] = Field(max_length=20)


class StepRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: Step
    started_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    attempt: int


class QueueRead(BaseModel):
    """Where a deployment that waits stands, and what for."""

    position: int = Field(description="1 is next.")
    ahead: int
    running: int = Field(description="Builds that run.")
    reason: str
    since: datetime | None = None


class DeploymentRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    project_id: UUID
    environment_id: UUID
    environment: str
    number: int
    kind: Kind
    status: Status
    repo_url: str
    branch: str | None
    upload: str | None
    commit_sha: str | None
    commit_message: str | None
    commit_author: str | None
    release_id: UUID | None
    url: str | None = Field(description="Without scheme.")
    error_message: str | None
    diagnosis: dict[str, Any] | None
    warnings: list[str]
    evidence: dict[str, Any] | None = Field(
        description="What the switch cost visitors, in figures and in words."
    )
    watch: dict[str, Any] | None
    queue: QueueRead | None = Field(default=None, description="Null unless it waits.")
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    settled_at: datetime | None

    @field_validator("queue", mode="before")
    @classmethod
    def _in_line(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        """What is kept for the line alone is not shown."""
        return value if value and "position" in value else None

    @model_validator(mode="after")
    def _only_while_it_waits(self) -> Self:
        if self.status is not Status.PENDING:
            self.queue = None
        return self


class DeploymentDetail(DeploymentRead):
    steps: list[StepRead] = []
    cancel_requested_at: datetime | None = None


class ReleaseRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    number: int
    commit_sha: str
    commit_message: str
    created_at: datetime
    removed_at: datetime | None
    current: bool = False


class InstanceRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    deployment_id: UUID
    release_id: UUID
    process: str
    index: int
    state: InstanceState
    restarts: int
    memory: int
    exit: dict[str, Any] | None
    observed_at: datetime | None
    created_at: datetime


class Limited(BaseModel):
    processes: dict[str, Caps]
    deployment: DeploymentRead | None = Field(
        description="The deployment that carries it out; null when nothing runs now."
    )


class Scaled(BaseModel):
    processes: dict[str, int]
    deployment: DeploymentRead | None = Field(
        description="The deployment that carries it out; null when nothing runs now."
    )
