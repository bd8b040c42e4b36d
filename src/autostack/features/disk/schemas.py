from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field


class ProjectDisk(BaseModel):
    """Bytes on the server's disk. Packages that releases share count once, for a release."""

    project_id: UUID
    name: str
    total: int = 0
    releases: int = 0
    caches: int = 0
    logs: int = 0
    images: int = Field(default=0, description="Without what images of others share.")
    uploads: int = 0
    mirrors: int = Field(default=0, description="Copies of the repository, and trees of it.")
    measured_at: datetime | None = Field(
        default=None, description="None: not yet; it is measured in the background."
    )


class DiskForecast(BaseModel):
    days: float | None = Field(description="Until it is full; none where nobody can know.")
    rate: int | None = Field(description="Bytes a day.")
    words: str


class ServerDisk(BaseModel):
    """The disk that holds the platform's directory."""

    total: int
    free: int
    floor: int = Field(description="Below so many free bytes nothing new is built.")
    low: bool = Field(description="Whether that is so now.")
    forecast: DiskForecast
    parts: dict[str, int] = Field(description="Bytes that belong to no project.")
    measured_at: datetime | None
    projects: list[ProjectDisk] = Field(description="The hundred largest.")
