from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

Span = Literal["1h", "6h", "24h", "7d", "30d"]


class Answers(BaseModel):
    """What visitors got. Latencies in milliseconds; null where too few came."""

    requests: int
    success: int = Field(description="1xx and 2xx")
    redirects: int = Field(description="3xx")
    client_errors: int = Field(description="4xx")
    server_errors: int = Field(description="5xx")
    unanswered: int = Field(description="Those of the 5xx that no instance answered.")
    p50: float | None
    p95: float | None
    p99: float | None


class TrafficPoint(Answers):
    at: datetime


class TrafficRead(BaseModel):
    """`step` is the seconds a point is about."""

    step: int
    total: Answers
    points: list[TrafficPoint]
