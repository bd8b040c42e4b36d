"""What a family's detector hands back: a plan in the making."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from autostack.engine.detect.stated import Stated
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import (
    BuildStep,
    Decision,
    Evidence,
    Family,
    MissingVariable,
    Process,
    Toolchain,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A family's share of the plan. `web` None: nothing says how to start, others must."""

    family: Family
    framework: str = ""
    toolchains: tuple[Toolchain, ...] = ()
    build: tuple[BuildStep, ...] = ()
    web: Process | None = None
    publish: str | None = None
    health: Evidence | None = None
    """The line of a route made for health checks; `health_path` is its path."""
    health_path: str = ""
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    decisions: tuple[Decision, ...] = ()
    reads: tuple[MissingVariable, ...] = ()
    warnings: tuple[str, ...] = ()
    obstacle: tuple[str, str] | None = None
    """What it is and what to do about it, where we know it and yet cannot run it."""

    @property
    def serves(self) -> bool:
        return self.web is not None or self.publish is not None


@dataclass(frozen=True, slots=True)
class Sight:
    """What every detector looks at."""

    tree: Tree
    stated: Stated
