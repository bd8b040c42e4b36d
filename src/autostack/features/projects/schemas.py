from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _no_controls(value: str) -> str:
    text = value.strip()
    if not text or any(not char.isprintable() for char in text):
        raise ValueError("write it on one line, without control characters")
    return text


Name = Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_no_controls)]
RepoUrl = Annotated[str, Field(min_length=1, max_length=500)]
Word = Annotated[str, Field(max_length=40)]
Path = Annotated[str, Field(max_length=300)]
Command = Annotated[str, Field(max_length=2000)]


class Caps(BaseModel):
    """What one instance of a process type may use; what is not set keeps its default."""

    memory_mb: int | None = Field(default=None, ge=32, le=1 << 20)
    cpu: float | None = Field(default=None, ge=0.05, le=256, description="Processors.")
    pids: int | None = Field(default=None, ge=8, le=32768, description="Processes and threads.")


ProcessName = Annotated[str, Field(min_length=1, max_length=63)]


class Overrides(BaseModel):
    """What you decided; it ranks above every file in the repository."""

    root: Path | None = None
    build_command: Command | None = None
    start_command: Command | None = None
    release_command: Command | None = None
    publish: Path | None = None
    check_path: Path | None = None
    limits: dict[ProcessName, Caps] | None = Field(
        default=None, max_length=20, description="Per process type, as in `web`."
    )


class ProjectCreate(BaseModel):
    name: Name
    description: str = Field(default="", max_length=2000)
    repo_url: RepoUrl = Field(examples=["https://github.com/you/shop.git"])
    language: Word | None = None
    framework: Word | None = None
    database: Word | None = None
    overrides: Overrides = Overrides()
    team_id: UUID | None = None
    """The team that owns it; your personal one by default."""


class ProjectUpdate(BaseModel):
    """Only what is sent changes."""

    name: Name | None = None
    description: str | None = Field(default=None, max_length=2000)
    repo_url: RepoUrl | None = None
    overrides: Overrides | None = None


class ProjectMove(BaseModel):
    team_id: UUID
    """The team that shall own it."""


class ProjectRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    team_id: UUID
    name: str
    slug: str
    description: str
    repo_url: str
    language: str | None
    framework: str | None
    database: str | None
    overrides: Overrides
    has_credential: bool
    deploy_key: str | None
    """Public half of the deploy key; give it to the forge."""
    created_at: datetime
    updated_at: datetime


class CredentialWrite(BaseModel):
    """A token that may read the repository over https. It is sealed and never shown again."""

    username: str = Field(default="", max_length=200, pattern=r"^[^\s:@/]*$")
    token: str = Field(min_length=1, max_length=4000, pattern=r"^\S+$")


class DeployKey(BaseModel):
    deploy_key: str
    """The public half, in OpenSSH's form."""


class Removed(BaseModel):
    detail: str = "It is being removed."
