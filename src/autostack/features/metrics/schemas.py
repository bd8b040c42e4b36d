from typing import Literal

from pydantic import BaseModel

State = Literal["up", "down"]


class Health(BaseModel):
    status: Literal["ok"] = "ok"


class Parts(BaseModel):
    database: State
    worker: State
    edge: State


class Readiness(BaseModel):
    """`parts` is shown on this machine and to holders of the metrics token only."""

    status: Literal["ready", "not ready"]
    parts: Parts | None = None
