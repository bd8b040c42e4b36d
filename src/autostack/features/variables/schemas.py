from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

LARGEST = 64 * 1024


class VariableWrite(BaseModel):
    value: str = Field(max_length=LARGEST)


class VariablesWrite(BaseModel):
    dotenv: str = Field(max_length=768 * 1024, examples=["DATABASE_URL=postgres://…\n"])
    replace: bool = False
    """Also remove variables that the text does not name."""


class VariableRead(BaseModel):
    """A variable without its value: nobody reads that here again, not even the api."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    version: int
    updated_at: datetime


class VariableList(BaseModel):
    items: list[VariableRead]
    next_cursor: str | None = None


class VariableRemoved(BaseModel):
    detail: str = "Removed. It is gone from the next deployment on."
