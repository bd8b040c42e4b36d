from datetime import datetime
from uuid import UUID

from pydantic import BaseModel


class DeploymentLine(BaseModel):
    """`level` is info, warning or error for the platform's own words, and output for what a
    command printed.
    """

    id: str
    """Its place: what `cursor`, `before` and Last-Event-ID take."""
    at: datetime
    step: str
    level: str
    text: str


class RuntimeLine(BaseModel):
    id: str
    at: datetime
    instance_id: UUID
    process: str
    index: int
    note: bool
    """Said by the platform about the log, as when lines were dropped."""
    partial: bool
    """The line goes on in the next one of this instance."""
    text: str


class DeploymentLog(BaseModel):
    items: list[DeploymentLine]
    next_cursor: str | None
    """Null when nothing more is there now; then the last line's id goes on from there."""


class RuntimeLog(BaseModel):
    items: list[RuntimeLine]
    next_cursor: str | None
