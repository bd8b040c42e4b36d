"""What builds leave on this machine, and what of it may go while others build.

A directory is given a name that nobody looks for before it is removed, with nothing awaited
between the look and the new name: a build that begins meanwhile does not find half of it.
"""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from time import time
from uuid import UUID, uuid4

from autostack.core.home import Home
from autostack.drivers.builders import artifacts, trees
from autostack.drivers.builders.docker import KIND as IMAGE
from autostack.drivers.builders.docker import DockerBuilder
from autostack.drivers.builders.threads import in_thread
from autostack.drivers.builders.workspace import GONE, WorkspaceBuilder
from autostack.engine.release import Artifact

_FETCHED = "python"
_DAY = 86_400.0
_SAMPLE = 50
"""Files of a layer that are looked at: all of them are shared, or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStore:
    workspace: WorkspaceBuilder
    images: DockerBuilder

    @property
    def home(self) -> Home:
        return self.workspace.machine.home

    async def builds(self, *, images: bool) -> list[Artifact]:
        """Everything that is stored. `images`: whether an engine is asked too."""
        found = [
            Artifact(id=str(one), kind=artifacts.KIND, location=str(path))
            for one, path in _named(self.home.artifacts)
        ]
        kept = await self.images.stored() if images else []
        return [
            *found,
            *(Artifact(id=str(one.build), kind=IMAGE, location=one.id) for one in kept),
        ]

    async def image_sizes(self) -> Mapping[UUID, int]:
        return await self.images.sizes()

    async def leftovers(self) -> None:
        """What builds and removals that were cut off left behind."""
        mine = {f".{build}" for build in self.workspace.building}
        doomed = [_doomed(one) for one in _hidden(self.home.artifacts) if one.name not in mine]
        if not self.workspace.building:
            for folder in (self.home.toolchains, self.home.toolchains / _FETCHED):
                doomed += [_doomed(one) for one in _hidden(folder)]
        await _remove(doomed)
        for project, cache in _named(self.home.caches):
            if not self.workspace.lock(project).locked():
                left = [*_hidden(cache), *_hidden(cache / "layers")]
                await _remove([_doomed(one) for one in left])

    async def toolchains(self) -> None:
        """Those no build needs to run, while none is being made."""
        used = await in_thread(lambda _: needed(self.home))
        if not self.workspace.building:
            await _remove([_doomed(one) for one in unneeded(self.home, used)])

    async def layers(self, *, every: bool) -> None:
        """Packages that no build shares any more: `every` one, or those of yesterday and before
        but for the newest of each project, which the next build may use.
        """
        for project, cache in _named(self.home.caches):
            lock = self.workspace.lock(project)
            if not lock.locked():
                async with lock:
                    loose = await in_thread(partial(_loose, cache / "layers", every))
                    await _remove([_doomed(one) for one in loose])

    async def caches(self) -> list[UUID]:
        """Projects with something in their cache, the one not used for longest first."""
        stores = [(project, cache / "store") for project, cache in _named(self.home.caches)]
        found = [(_age(store), project) for project, store in stores if store.is_dir()]
        return [project for _, project in sorted(found)]

    async def clear(self, project_id: UUID) -> None:
        """Its cache of downloads, unless it is at work with it."""
        lock = self.workspace.lock(project_id)
        store = self.home.caches / str(project_id) / "store"
        if lock.locked() or not store.is_dir():
            return
        async with lock:
            await _remove([_doomed(store)])


def needed(home: Home) -> frozenset[Path]:
    """What stored builds show to what runs in them."""
    found: set[Path] = set()
    for _, directory in _named(home.artifacts):
        try:
            document = json.loads((directory / artifacts.FILE).read_text())
        except (OSError, ValueError):
            continue
        found.update(Path(mount) for mount in document.get("mounts", ()))
    return frozenset(found)


def unneeded(home: Home, used: Iterable[Path]) -> list[Path]:
    """Toolchains that none of these paths is in."""
    needed = {path.resolve() for path in used}
    places = [one for one in _entries(home.toolchains) if one.name != _FETCHED]
    places += _entries(home.toolchains / _FETCHED)
    return [
        place
        for place in places
        if not place.name.startswith(".")
        and not any(path.is_relative_to(place.resolve()) for path in needed)
    ]


def _loose(layers: Path, every: bool, _: Event) -> list[Path]:  # noqa: FBT001 - see in_thread
    found = [one for one in _entries(layers) if not one.name.startswith(".")]
    ranked = sorted(found, key=_age, reverse=True)
    old = ranked if every else [one for one in ranked[1:] if _age(one) < time() - _DAY]
    return [one for one in old if not _shared(one)]


def _shared(layer: Path) -> bool:
    """A build has its files under names of its own: removing this one would free nothing."""
    seen = 0
    for path in layer.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        if path.lstat().st_nlink > 1:
            return True
        seen += 1
        if seen == _SAMPLE:
            break
    return False


def _doomed(path: Path) -> Path:
    """Under its new name."""
    doomed = path.with_name(f".{uuid4()}.{GONE}")
    try:
        path.rename(doomed)
    except FileNotFoundError:
        return path
    return doomed


async def _remove(paths: list[Path]) -> None:
    for path in paths:
        await asyncio.to_thread(trees.remove, path)


def _hidden(folder: Path) -> list[Path]:
    return [one for one in _entries(folder) if one.name.startswith(".")]


def _named(folder: Path) -> Iterator[tuple[UUID, Path]]:
    """Directories named for a build or a project."""
    for path in _entries(folder):
        try:
            yield UUID(path.name), path
        except ValueError:
            continue


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
