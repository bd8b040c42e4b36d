"""What the disk guardian needs of the machine; entrypoints hand the real thing in."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from autostack.core.space import Space
from autostack.engine.ports import Builder
from autostack.engine.release import Artifact


class Store(Protocol):
    """What builds left. Nothing that a build under way uses is ever touched, and no call fails
    because something is gone already. The real one is drivers.builders.store.
    """

    async def builds(self, *, images: bool) -> Sequence[Artifact]:
        """Everything stored, finished or not wanted any more."""
        ...

    async def image_sizes(self) -> Mapping[UUID, int]:
        """Bytes of images by project."""
        ...

    async def leftovers(self) -> None: ...

    async def toolchains(self) -> None:
        """Remove those that no stored build needs."""
        ...

    async def layers(self, *, every: bool) -> None:
        """Remove packages that no stored build shares."""
        ...

    async def caches(self) -> Sequence[UUID]:
        """Projects with a cache, the one not used for longest first."""
        ...

    async def clear(self, project_id: UUID) -> None: ...


class Reserve(Protocol):
    """Room that is held, and given up for the database when there is none left."""

    @property
    def held(self) -> bool: ...

    def hold(self, size: int) -> None:
        """Raises OSError when it does not fit."""
        ...

    def drop(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """`look` says how much room there is; `thin` removes trees of a repository that are older
    than its last argument says, `measure` counts bytes of paths.
    """

    store: Store
    builder: Builder
    reserve: Reserve
    look: Callable[[], Space]
    thin: Callable[[UUID, int, float], Awaitable[None]]
    forget: Callable[[UUID], Awaitable[None]]
    stop: Callable[[UUID], Awaitable[None]]
    """End an instance nobody knows, and free what it held."""
    measure: Callable[[Sequence[Path]], Awaitable[Mapping[Path, int]]]
