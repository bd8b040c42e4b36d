"""The values that cross the ports. Frozen, no behaviour beyond what they derive."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID

MIB = 1024 * 1024


class Step(StrEnum):
    """The steps of a deployment, in order (ARCHITECTURE §1)."""

    FETCH = "fetch"
    PLAN = "plan"
    BUILD = "build"
    RELEASE = "release_command"
    START = "start"
    CHECK = "check"
    SWITCH = "switch"
    DRAIN = "drain"
    WATCH = "watch"
    RETIRE = "retire"


class Outcome(StrEnum):
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    CANCELED = "canceled"


class Status(StrEnum):
    """Public statuses of a deployment."""

    PENDING = "pending"
    BUILDING = "building"
    DEPLOYING = "deploying"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELED = "canceled"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What opens a private repository: a token over https, or an OpenSSH private key."""

    username: str = ""
    token: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    known_hosts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """Where source comes from. `ref` is a branch, tag or SHA; None is the remote's default
    branch. `key` names the mirror (one a project).
    """

    key: UUID
    url: str
    ref: str | None = None
    credential: Credential | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A source tree without `.git`, keyed by its commit. No link leaves `tree`."""

    tree: Path
    sha: str
    branch: str = ""
    message: str = ""
    author: str = ""
    committed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps of a build or an instance. Memory in bytes, CPU in cores, time in seconds."""

    memory: int = 512 * MIB
    cpu: float | None = None
    pids: int = 512
    files: int = 4096
    disk: int = 4096 * MIB
    seconds: float | None = None


BUILD_LIMITS = Limits(memory=4096 * MIB, pids=4096, files=65536, disk=10240 * MIB, seconds=1800)


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What a build left: a sealed directory (`directory`) or an image (`image`).

    `id` is stable: the same build again gives the same id. `location` is a path or a digest.
    """

    id: str
    kind: str
    location: str
    size: int = 0
    peak_memory: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPlace:
    """The network an instance gets: its own address and its environment's bridge.

    `address` is unique among living instances. Without root a runtime shares the host's network
    and `address` is 127.0.0.1.
    """

    address: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceSpec:
    """One process to run. The caller names it and gives it what is unique."""

    id: UUID
    project_id: UUID
    environment_id: UUID
    release_id: UUID
    process: str
    artifact: Artifact
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    uid: int
    place: NetworkPlace
    limits: Limits = Limits()
    output: Path
    """File the instance's stdout and stderr are appended to."""
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """Values that do not appear in what is kept of its output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A spec that a runtime started. `address` is `host:port` to reach it from the edge."""

    id: UUID
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a process ended. `signal` is set when a signal ended it; `oom` when memory did."""

    code: int
    signal: int | None = None
    oom: bool = False


class InstanceState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    BACKOFF = "backoff"
    CRASHED = "crashed"
    """Crash loop: the runtime gave up restarting it."""
    STOPPED = "stopped"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a runtime saw of one instance. Memory in bytes; `held` is what of it no cached file
    is, so that it cannot be had back. Both 0 where nothing measures.
    """

    id: UUID
    state: InstanceState
    restarts: int = 0
    memory: int = 0
    held: int = 0
    exit: Exit | None = None
    orphan: bool = False
    """It still serves, but its supervisor died, and the one that runs now does not restart it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A TCP port something inside an instance listens on."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """All domains of one environment, and the release they lead to.

    `targets` are `host:port` of its web instances; `directory` is set instead for a static
    release. Nothing of both means the environment is down and says so.
    """

    environment_id: UUID
    release_id: UUID
    name: str
    hosts: tuple[str, ...]
    targets: tuple[str, ...] = ()
    directory: Path | None = None
    loopback_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What a drain saw. `open` connections were left when the limit ended it."""

    seconds: float
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The last answer of a probe: a status, or the error instead of one."""

    attempts: int
    seconds: float
    status: int | None = None
    error: str = ""


class GoingBack(StrEnum):
    """When the watch may switch back by itself."""

    CAREFUL = "careful"
    """Not for its traffic alone when a release command ran: the release before may not fit what
    that changed."""
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRule:
    """How a new release is watched; `seconds` None is what the platform is set to, 0 is off."""

    seconds: float | None = None
    going_back: GoingBack = GoingBack.CAREFUL


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Why a deployment failed, for people: cause, proof and what to do."""

    code: str
    summary: str
    proof: str = ""
    todo: str = ""
