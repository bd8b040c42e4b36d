"""What one deployment is told (`Order`) and what it works with (`Tools`)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol
from uuid import UUID

from autostack.engine.gauge import Gauge
from autostack.engine.plan import Overrides, Plan
from autostack.engine.ports import Builder, LogSink, Probe, Router, Runtime, Source
from autostack.engine.release import BUILD_LIMITS, Artifact, Limits, Repository, Step, WatchRule


class Goal(StrEnum):
    """What a deployment is for. All go the same way; all but DEPLOY reuse a release."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    RESTART = "restart"
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A release that exists: its build and the plan to run it by."""

    id: UUID
    plan: Plan
    artifact: Artifact


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One deployment, as frozen as its row was when a worker took it.

    `env` are the user's variables; for a release that is reused, those it was made with.
    `scale` holds the instances wanted per process type where the user said so.
    """

    id: UUID
    project_id: UUID
    environment_id: UUID
    goal: Goal
    repository: Repository
    overrides: Overrides = field(default_factory=Overrides)
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    scale: Mapping[str, int] = field(default_factory=dict[str, int])
    reuse: Made | None = None
    watch: WatchRule = field(default_factory=WatchRule)
    build_uid: int
    build_limits: Limits = BUILD_LIMITS
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Values that must not appear in anything kept or shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long things may take, and how often the engine looks."""

    fetch: timedelta = timedelta(minutes=10)
    plan: timedelta = timedelta(minutes=1)
    build: timedelta = timedelta(minutes=35)
    """For a builder that hangs; the build itself ends by its own limit before."""
    release_command: timedelta = timedelta(minutes=10)
    start: timedelta = timedelta(minutes=1)
    switch: timedelta = timedelta(minutes=2)
    confirm: timedelta = timedelta(seconds=10)
    drain: timedelta = timedelta(seconds=30)
    stop: timedelta = timedelta(seconds=10)
    """Between SIGTERM and SIGKILL."""
    watch: timedelta = timedelta(seconds=60)
    probe: float = 0.05
    """Seconds between two probes while an app starts."""
    listeners: float = 0.4
    """Seconds between two looks for an app that ignores $PORT; found twice means found."""
    stable: float = 0.3
    """Seconds an instance must have been up before it counts as started."""
    look: float = 0.5
    """Seconds between two looks of the watch at the instances."""
    judge: float = 2.0
    """Seconds between two looks of the watch at what visitors got."""
    lately: float = 5.0
    """Seconds; errors that ended before are past."""
    printed: float = 0.3
    """Seconds the end of a switch waits for what the new instances printed."""
    visit: float = 0.1
    """Seconds between two requests of ours through the edge during a switch."""


Detect = Callable[[Path, Overrides, frozenset[str]], Plan]
"""Source tree, dashboard settings, names of variables that are set; pure but for reading."""


class OpenLogSink(LogSink, Protocol):
    """A LogSink that holds something open."""

    def close(self) -> None: ...


OpenLog = Callable[[UUID, Sequence[str]], OpenLogSink]
"""The log of a deployment, by its id; the values in the second argument are redacted."""

Tail = Callable[[UUID], Awaitable[Sequence[str]]]
"""The last lines an instance printed, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """The ports a deployment is carried out with, chosen once by the worker."""

    source: Source
    detect: Detect
    builder: Builder
    runtime: Runtime
    router: Router
    probe: Probe
    open_log: OpenLog
    tail: Tail
    pace: Pace = Pace()
    gauge: Gauge = field(default_factory=lambda: Gauge(monotonic=time.monotonic))
    cautions: Callable[[], Sequence[str]] = tuple
    """What every deployment's log has to say of this machine."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic

    def deadline(self, step: Step) -> timedelta | None:
        """None where a step has its own end: the check's grace, the watch, the retire."""
        limits = {
            Step.FETCH: self.pace.fetch,
            Step.PLAN: self.pace.plan,
            Step.BUILD: self.pace.build,
            Step.RELEASE: self.pace.release_command + timedelta(minutes=1),
            Step.START: self.pace.start,
            Step.SWITCH: self.pace.switch,
        }
        return limits.get(step)
