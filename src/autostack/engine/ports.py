"""What the engine needs from the world. Each port has one contract test in tests/contracts/
that every driver and its fake passes; failures are engine.errors, never a driver's own.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from autostack.engine.plan import Check, Plan
from autostack.engine.release import (
    Answer,
    Artifact,
    Checkout,
    Diagnosis,
    Drained,
    Exit,
    Instance,
    InstanceSpec,
    Limits,
    Listener,
    Observation,
    Repository,
    Routes,
    Status,
    Step,
)
from autostack.engine.tally import Tally


class LogSink(Protocol):
    """The log of one deployment. Writing never blocks on a reader and never raises for
    content; secrets the sink was made with are redacted before anything is kept.
    """

    def say(self, text: str, *, step: Step, level: str = "info") -> None:
        """A line of the platform itself; level is `info`, `warning` or `error`."""
        ...

    def output(self, data: bytes, *, step: Step) -> None:
        """Raw output of a build or release command, in any pieces."""
        ...


class Source(Protocol):
    """A place source trees come from. Fetching the same commit twice is one tree."""

    async def fetch(self, repository: Repository, *, log: LogSink) -> Checkout: ...

    async def default_branch(self, repository: Repository) -> str:
        """Ask the remote; cheap, nothing is downloaded."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSpec:
    """One build. `id` is the caller's; the same id gives the same artifact, built once."""

    id: UUID
    project_id: UUID
    checkout: Checkout
    plan: Plan
    env: Mapping[str, str]
    uid: int
    limits: Limits


class Builder(Protocol):
    """Turns a Plan into an artifact. Cancelling the task ends the whole process tree and
    leaves nothing half-made under the artifact's name.
    """

    async def build(self, spec: BuildSpec, *, log: LogSink) -> Artifact: ...

    async def remove(self, artifact: Artifact) -> None:
        """Free its disk. Removing what is gone is not an error."""
        ...


class Runtime(Protocol):
    """A place where instances run: process sandbox, Docker or Kubernetes.

    The caller names the instance, so every call may be repeated: starting one that runs returns
    it, stopping one that is gone is not an error.
    """

    async def start(self, spec: InstanceSpec) -> Instance:
        """Return as soon as the runtime has taken it; readiness is the probe's question."""
        ...

    async def run_once(self, spec: InstanceSpec, *, limit: timedelta, log: LogSink) -> Exit:
        """Run to the end (release commands). Cancelling ends the whole process tree."""
        ...

    async def stop(self, instance_id: UUID, *, grace: timedelta) -> None:
        """SIGTERM, then SIGKILL after grace; returns when every process is gone and its
        network, cgroup and directory are freed.
        """
        ...

    async def inspect(self, instance_id: UUID) -> Observation:
        """How it is now; state MISSING where it never was or is gone."""
        ...

    async def listeners(self, instance_id: UUID) -> Sequence[Listener]:
        """TCP ports its processes listen on, to find an app that ignores $PORT."""
        ...

    async def expose(self, instance_id: UUID, listener: Listener) -> Instance:
        """Make a listener reachable from the edge, also one bound to the instance's own
        loopback; the returned address leads to it.
        """
        ...

    async def ask(self, instance_id: UUID, command: Sequence[str], *, limit: timedelta) -> Answer:
        """Run a check command inside an instance: as its user, with its environment, in its
        directory, under its caps. No `error` when it ended with 0 within `limit`; after that it is
        killed. Never raises for what the command does or for an instance that is gone.
        """
        ...

    def watch(self) -> AsyncIterator[Observation]:
        """What runs here and how it is, from now on; the first round lists everything."""
        ...


class Probe(Protocol):
    """Asks an instance whether it serves."""

    async def once(self, address: str, check: Check) -> Answer:
        """One question: `status` on an answer, `error` otherwise. Never raises."""
        ...


class Router(Protocol):
    """The edge. A change is visible to every new request once `confirm` returned."""

    async def apply(self, routes: Routes, *, generation: int) -> None:
        """Replace an environment's routes as one; refuses an older generation with
        `StaleGeneration`. Applying the same again changes nothing.
        """
        ...

    async def confirm(self, routes: Routes, *, limit: timedelta) -> None:
        """Return when the edge itself answers for these routes; else `SwitchUnconfirmed`."""
        ...

    async def drain(self, targets: Sequence[str], *, limit: timedelta) -> Drained:
        """Wait until no request through the edge is in flight to these targets."""
        ...

    async def visit(self, routes: Routes, *, path: str, limit: timedelta) -> Answer:
        """One request through the edge as a visitor's, which no tally counts. Never raises."""
        ...

    async def tallies(self, *, fresh: bool = False) -> Mapping[UUID, Tally]:
        """What visitors of each release got. Figures only grow while this driver lives; they
        may be half a second old unless asked for `fresh`.
        """
        ...

    async def remove(self, environment_id: UUID, *, generation: int) -> None: ...

    async def drifted(self) -> bool:
        """Whether another hand has changed what the edge does since the last call of this driver;
        then all routes are to be applied again. What would stop the edge is put aside.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An instance the engine wants; the journal gives it an id, a uid and a place."""

    process: str
    index: int
    command: tuple[str, ...]
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What serves an environment: the routes, and the instances of the deployment behind them."""

    release_id: UUID
    routes: Routes
    instances: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Living:
    """An instance whose row is not freed. `address` is set once it was started."""

    id: UUID
    process: str
    address: str | None


class StepRecord(Protocol):
    """An open step. `kept` is what this step left behind if it was completed before."""

    kept: Mapping[str, Any] | None

    def leave(self, **facts: Any) -> None:  # noqa: ANN401 - JSON, stored as it is
        """Facts the step leaves behind; written when the step ends."""
        ...


class Journal(Protocol):
    """The durable memory of one deployment under one lease.

    Every write is one short transaction `WHERE lease = token`; `LeaseLost` when another worker
    has taken over. Patient while the database is away, then `JournalAway`. Each call may be
    repeated after a crash and changes nothing the second time.
    """

    def step(self, step: Step) -> AbstractAsyncContextManager[StepRecord]:
        """Open the step's row before anything is done; close it with its outcome. Raises
        `Canceled` instead of opening when the user canceled. A step left by cancellation of the
        task stays open: it is resumed, or `ended` closes it.
        """
        ...

    async def skip(self, step: Step) -> None:
        """Record that a step had nothing to do."""
        ...

    async def canceled(self) -> None:
        """Return when the user has asked to cancel (waits for ever otherwise)."""
        ...

    async def found(self, checkout: Checkout) -> None: ...

    async def release(self, plan: Plan, artifact: Artifact) -> UUID:
        """The release this deployment makes; the same one each time it is asked."""
        ...

    async def reuse(self, release_id: UUID) -> None:
        """This deployment brings an existing release back."""
        ...

    async def allocate(self, release_id: UUID, wanted: Sequence[Wanted]) -> Sequence[InstanceSpec]:
        """Write instance rows with ids, uids and places before anything starts; asking again
        returns the same rows.
        """
        ...

    async def adopt(self, release_id: UUID, wanted: Sequence[Wanted]) -> None:
        """Make instances ours that an earlier deployment started of this very release and that
        are still kept, so that `allocate` gives them. Those that are `leaving` are not to be had.
        """
        ...

    async def give_back(self) -> None:
        """What was adopted belongs to whom it belonged to before."""
        ...

    async def started(self, instances: Sequence[Instance], /) -> None: ...

    async def stopped(self, instance_ids: Sequence[UUID]) -> None:
        """They are gone: their uids and places are free for others."""
        ...

    async def mine(self) -> Sequence[Living]:
        """Living instances of this deployment."""
        ...

    async def older(self) -> Sequence[Living]:
        """Living instances of earlier deployments of this environment."""
        ...

    async def leaving(self) -> Sequence[Living]:
        """As `older`; from now on nobody may adopt them."""
        ...

    async def specs(self, instance_ids: Sequence[UUID]) -> Sequence[InstanceSpec]:
        """How living instances were started, to start them again."""
        ...

    async def before(self) -> Served | None:
        """What served before this deployment's own switch; None if nothing did."""
        ...

    async def routed(
        self, release_id: UUID, targets: Sequence[str], directory: Path | None
    ) -> tuple[Routes, int]:
        """Record where the environment's domains lead from now on, with a new generation, and
        what they led to before; asking again returns the same generation.
        """
        ...

    async def restored(self) -> tuple[Routes, int] | None:
        """Record that the domains lead to `before` again; None when a newer deployment has
        switched since, or this one never did.
        """
        ...

    async def current(self) -> bool:
        """Whether the environment's domains lead to this deployment."""
        ...

    async def warned(self, text: str) -> None: ...

    async def ended(
        self, status: Status, *, message: str = "", diagnosis: Diagnosis | None = None
    ) -> None:
        """The verdict. Closes what is open; success frees the slot and asks for `settle`."""
        ...

    async def usual(self) -> Tally:
        """What visitors of the release that served before this deployment's switch got lately."""
        ...

    async def measured(self, facts: Mapping[str, Any]) -> None:
        """What the switch cost visitors, shown to users."""
        ...

    async def watched(self, facts: Mapping[str, Any]) -> None:
        """The state of the watch, shown to users."""
        ...

    async def settled(self) -> None:
        """Nothing of this deployment is left to do."""
        ...
