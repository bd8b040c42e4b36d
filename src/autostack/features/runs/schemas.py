import shlex
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from autostack.engine.once import RunStatus

LONGEST = 32_768
HOUR = 3600
DAY = 24 * HOUR

Text = Annotated[str, StringConstraints(max_length=LONGEST)]


class RunCreate(BaseModel):
    command: Annotated[list[Text], Field(max_length=1000)] | Text = Field(
        description="Its words. A text is split into words as a shell does; no shell runs it.",
        examples=[["python", "manage.py", "migrate"]],
    )
    timeout: int = Field(default=HOUR, ge=1, le=DAY, description="Seconds after which it is ended.")

    @field_validator("command")
    @classmethod
    def _a_command(cls, value: list[str] | str) -> list[str] | str:
        words = _words(value)
        if not words or not words[0]:
            raise ValueError("there is no command to run")
        joined = "".join(words)
        if "\0" in joined or len(joined.encode()) > LONGEST:
            raise ValueError(f"a command has no zero bytes and at most {LONGEST} bytes")
        return value

    @property
    def words(self) -> list[str]:
        return _words(self.command)


class RunRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    environment_id: UUID
    release_id: UUID
    user_id: UUID | None
    command: list[str]
    timeout: int
    status: RunStatus = Field(description="`done` says exit code 0, `failed` any other end.")
    exit_code: int | None = Field(
        description="128 + n where signal n ended it; null where the platform ended it."
    )
    error_message: str | None
    cancel_requested_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def _words(command: list[str] | str) -> list[str]:
    return shlex.split(command) if isinstance(command, str) else command
