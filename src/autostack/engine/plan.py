"""What detection decides: data only, each decision with the line that proves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The file, and the 1-based line in it, that proves a decision. `line` 0 means the whole
    file.
    """

    file: str
    line: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One thing detection settled, in words a user understands: what, and why."""

    subject: str
    value: str
    evidence: Evidence | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingVariable:
    """A variable the code reads and nobody set. Required: it is read without a default."""

    name: str
    required: bool
    evidence: Evidence


class Family(StrEnum):
    PYTHON = "python"
    NODE = "node"
    STATIC = "static"
    PROCFILE = "procfile"
    DOCKERFILE = "dockerfile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """How the platform asks whether an instance is ready; HTTP below 500 is a yes.

    Times are in seconds. `path` None asks by TCP. A `command`, an argv, is run inside the instance
    as well: it says yes by ending with 0.
    """

    path: str | None = "/"
    command: tuple[str, ...] = ()
    interval: float = 0.1
    timeout: float = 5.0
    grace: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What one instance of a process type may use, where somebody said so: memory in megabytes,
    processors, processes and threads.
    """

    memory_mb: int | None = None
    cpu: float | None = None
    pids: int | None = None

    def over(self, low: "Caps") -> "Caps":
        """With what `low` says of the rest."""
        return Caps(
            memory_mb=low.memory_mb if self.memory_mb is None else self.memory_mb,
            cpu=low.cpu if self.cpu is None else self.cpu,
            pids=low.pids if self.pids is None else self.pids,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process type. `command` is an argv; a line from a Procfile becomes `sh -c line`, run
    inside the sandbox only.
    """

    name: str
    command: tuple[str, ...]
    count: int = 1
    single: bool = False
    overlap: bool = False
    check: Check | None = None
    caps: Caps = Caps()
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStep:
    """One command of the build, run in the sandbox with the tree as working directory.

    `network` false cuts the step off. `inputs` are the files whose content decides whether an
    earlier result may be used again.
    """

    title: str
    command: tuple[str, ...]
    network: bool = True
    inputs: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """A language runtime the build and the app need: `python` `3.12`, `node` `22`.
    `version` is what the repository asks for, as a range; empty means ours to choose.
    """

    name: str
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything between a source tree and running processes. Pure data; JSON at the API."""

    family: Family
    framework: str = ""
    root: str = ""
    toolchains: tuple[Toolchain, ...] = ()
    build: tuple[BuildStep, ...] = ()
    release_command: tuple[str, ...] = ()
    processes: tuple[Process, ...] = ()
    publish: str | None = None
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    decisions: tuple[Decision, ...] = ()
    missing: tuple[MissingVariable, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def web(self) -> Process | None:
        return next((process for process in self.processes if process.name == "web"), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What a user set in the dashboard; ranks above every file in the repository."""

    root: str | None = None
    build_command: str | None = None
    start_command: str | None = None
    release_command: str | None = None
    publish: str | None = None
    check_path: str | None = None
    limits: Mapping[str, Caps] = field(default_factory=dict[str, Caps])
    """Per process type."""
