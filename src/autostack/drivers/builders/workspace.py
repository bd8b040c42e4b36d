"""Builds on this machine: a fresh copy of the source, sandboxed steps, a sealed directory.

What an artifact directory holds is in `artifacts`. Everything is prepared under names with a
leading dot and gets its name by one rename, so a build that was cut off leaves nothing behind
that looks finished; `sweep` removes what it did leave.
"""

import asyncio
import errno
import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event
from uuid import UUID, uuid4

from autostack.drivers.builders import artifacts, inside, layers, registries, trees, venv
from autostack.drivers.builders.artifacts import Sealed
from autostack.drivers.builders.layers import Layers
from autostack.drivers.builders.steps import Bench, Run, Steps, require_space
from autostack.drivers.builders.threads import in_thread
from autostack.drivers.builders.toolchains import Tool, Toolchains
from autostack.drivers.machine.run import run as run_in_sandbox
from autostack.drivers.machine.sandbox import Bind, Machine, Network
from autostack.engine.errors import OutOfDisk, PublishMissing, RootNotFound
from autostack.engine.plan import BuildStep
from autostack.engine.ports import BuildSpec, LogSink
from autostack.engine.release import MIB, Artifact, Step

GONE = "removed"
"""How the name of a directory ends that is being removed."""
_LEFT_OUT = frozenset({".git", *layers.PLACES})
_KEPT_HIDDEN = frozenset({".well-known"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One build under way. `work` is its own directory, removed at the end."""

    spec: BuildSpec
    log: LogSink
    steps: Steps
    tools: tuple[Tool, ...]
    work: Path
    source: Path
    deadline: float

    @property
    def app(self) -> Path:
        return self.work / "build" / artifacts.APP

    @property
    def out(self) -> Path:
        return self.work / "out"

    @property
    def python(self) -> Tool | None:
        return next((tool for tool in self.tools if tool.name == "python"), None)

    @property
    def static(self) -> bool:
        return self.spec.plan.publish is not None and not self.spec.plan.processes


@dataclass(slots=True)
class WorkspaceBuilder:
    """The Builder of the process runtime. Builds of one project run one after the other,
    because they share its cache.
    """

    machine: Machine
    network: Network = Network.INTERNET
    run: Run = run_in_sandbox
    toolchains: Toolchains = field(init=False)
    building: set[UUID] = field(init=False, default_factory=set[UUID])
    """Builds under way: what is theirs is nobody's to tidy up."""
    _removals: set[asyncio.Task[None]] = field(init=False, default_factory=set[asyncio.Task[None]])
    _projects: dict[UUID, asyncio.Lock] = field(
        init=False, default_factory=lambda: defaultdict(asyncio.Lock)
    )

    def __post_init__(self) -> None:
        self.toolchains = Toolchains(self.machine.home.toolchains)

    def lock(self, project_id: UUID) -> asyncio.Lock:
        """Held while one builds there."""
        return self._projects[project_id]

    async def build(self, spec: BuildSpec, *, log: LogSink) -> Artifact:
        async with self.lock(spec.project_id):
            kept = artifacts.read(self._place(spec.id))
            if kept is not None:
                log.say("This build is here already.", step=Step.BUILD)
                return kept
            async with self._workspace(spec.id) as work:
                return await self._make(await self._job(spec, log, work))

    async def remove(self, artifact: Artifact) -> None:
        path = self._place(UUID(artifact.id))
        doomed = path.with_name(f".{artifact.id}.{GONE}")
        try:
            path.rename(doomed)
        except FileNotFoundError:
            return
        await _remove(doomed)

    async def sweep(self) -> None:
        """Remove what builds that were cut off left. Only while none runs."""
        home = self.machine.home
        for directory in (home.artifacts, home.toolchains, *home.caches.glob("*/layers")):
            for left in directory.glob(".*") if directory.is_dir() else ():
                await _remove(left)

    def _place(self, build: UUID) -> Path:
        return self.machine.home.artifacts / str(build)

    @asynccontextmanager
    async def _workspace(self, build: UUID) -> AsyncGenerator[Path]:
        home = self.machine.home.artifacts
        home.mkdir(mode=0o711, parents=True, exist_ok=True)
        require_space(home, "a build")
        work = home / f".{build}"
        self.building.add(build)
        try:
            await _remove(work)
            work.mkdir(mode=0o711)
            yield work
        except BaseException:
            await _remove(work)
            raise
        else:
            self._remove_later(work)
        finally:
            self.building.discard(build)

    def _remove_later(self, path: Path) -> None:
        """Nobody waits for it: thousands of files take longer to go than an app to start. Under a
        name that whoever tidies up takes for a leftover, should this process end before.
        """
        doomed = path.with_name(f".{uuid4()}.{GONE}")
        path.rename(doomed)
        task = asyncio.create_task(_remove(doomed))
        self._removals.add(task)
        task.add_done_callback(self._removals.discard)

    async def _job(self, spec: BuildSpec, log: LogSink, work: Path) -> _Job:
        for name, mode in (("build", 0o711), ("out", 0o700), ("tmp", 0o700)):
            (work / name).mkdir(mode=mode)
        if self.machine.root:
            os.chown(work / "tmp", spec.uid, spec.uid)
        for tool in spec.plan.toolchains:
            if tool.version and tool.name in ("python", "node"):
                log.say(f"The project asks for {tool.name} {tool.version}.", step=Step.BUILD)
        seconds = spec.limits.seconds or 1800
        return _Job(
            spec=spec,
            log=log,
            steps=Steps(run=self.run, machine=self.machine, log=log),
            tools=await self.toolchains.resolve(spec.plan.toolchains),
            work=work,
            source=_source(spec),
            deadline=asyncio.get_running_loop().time() + seconds,
        )

    async def _make(self, job: _Job) -> Artifact:
        for tool in job.tools:
            job.log.say(f"Using {tool.name} {tool.version}.", step=Step.BUILD)
        early, late = layers.split(job.spec.plan.build)
        key, layer = await self._layer(job, early)
        await self._assemble(job, layer, rest=late)
        await self._run_in_tree(job, late)
        size = await self._seal(job)
        self._finish(job, size=size, key=key)
        return self._named(job)

    async def _layer(self, job: _Job, steps: tuple[BuildStep, ...]) -> tuple[str, Path | None]:
        """The layer of these steps, made now or kept from before."""
        if not steps:
            return "", None
        kept = Layers(self._cache(job.spec) / "layers")
        env = {**registries.environment(), **job.spec.env}
        key = await in_thread(lambda _: layers.key(steps, job.source, job.tools, env))
        found = kept.find(key)
        if found is None:
            found = await self._install(job, steps, kept.directory / key)
            await in_thread(lambda _: kept.prune())
        else:
            job.log.say("Packages are unchanged and used again.", step=Step.BUILD)
        return key, found

    async def _install(self, job: _Job, steps: tuple[BuildStep, ...], layer: Path) -> Path:
        app = job.work / "install" / artifacts.APP
        uid = self._build_owner(job.spec)
        await in_thread(lambda _: _lay_out(job, steps, app, uid))
        await job.steps.all(steps, await self._bench(job, app))
        layer.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        await in_thread(lambda stop: self._keep(app, layer, stop))
        return layer

    def _keep(self, app: Path, layer: Path, stop: Event) -> None:
        staging = layer.with_name(f".{layer.name}")
        trees.remove(staging)
        staging.mkdir(mode=0o755)
        for place in layers.places(app):
            trees.seal(place, owner=self._our_owner, writable=trees.nothing, stop=stop)
            _move(place, staging / place.name, owner=self._our_owner, stop=stop)
        staging.rename(layer)

    async def _assemble(
        self, job: _Job, layer: Path | None, *, rest: tuple[BuildStep, ...]
    ) -> None:
        """The tree with its layer; writable for the build's user if steps are to come."""
        owner = self._build_owner(job.spec) if rest else self._our_owner
        await in_thread(
            lambda stop: trees.copy(job.source, job.app, owner=owner, skip=_left_out, stop=stop)
        )
        for place in layers.places(layer) if layer else ():
            # Build tools of Node write into their packages; they get files of their own.
            shared = not rest or (self.machine.root and place.name == ".venv")
            join = _link if shared else _copy
            await in_thread(partial(join, place, job.app / place.name, owner))
        if job.python and not (job.app / ".venv").exists() and (rest or not layer):
            venv.make(job.app / ".venv", job.python, owner)

    async def _run_in_tree(self, job: _Job, steps: tuple[BuildStep, ...]) -> None:
        if steps:
            await job.steps.all(steps, await self._bench(job, job.app))

    async def _seal(self, job: _Job) -> int:
        """Into `out/app`, ours, with nothing a runtime or file server could be led out by."""
        target = job.out / artifacts.APP
        if job.static:
            await in_thread(lambda stop: self._publish(job, target, stop))
        else:
            job.app.rename(target)
        writable = trees.nothing if job.spec.plan.publish is not None else _apps_own
        size = await in_thread(
            lambda stop: trees.seal(target, owner=self._our_owner, writable=writable, stop=stop)
        )
        if size > job.spec.limits.disk:
            raise OutOfDisk(f"a build of more than {job.spec.limits.disk // MIB} MB")
        if job.spec.plan.publish is not None:
            trees.refuse_links_out(target / job.spec.plan.publish)
        return size

    def _publish(self, job: _Job, target: Path, stop: Event) -> None:
        """Only the site: not its sources, and no hidden files."""
        publish = job.spec.plan.publish or "."
        site = job.app / publish
        if not site.is_dir() or not site.resolve().is_relative_to(job.app.resolve()):
            raise PublishMissing(publish)
        (target / publish).parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        trees.copy(site.resolve(), target / publish, owner=self._our_owner, skip=_hidden, stop=stop)

    def _finish(self, job: _Job, *, size: int, key: str) -> None:
        plan = job.spec.plan
        about = f"{job.spec.checkout.sha} {key} {plan!r}".encode()
        sealed = Sealed(
            mounts=tuple(str(path) for tool in job.tools for path in tool.mounts),
            path=inside.path(job.tools),
            env={"VIRTUAL_ENV": "/app/.venv"} if job.python else {},
            digest=hashlib.sha256(about).hexdigest(),
            size=size,
            peak_memory=job.steps.peak_memory,
        )
        if job.static:
            sealed = Sealed(digest=sealed.digest, size=size, peak_memory=sealed.peak_memory)
        artifacts.write(job.out, sealed)
        # A file server has to get in; into what apps may write to, nobody else.
        job.out.chmod(0o755 if job.spec.plan.publish is not None else 0o700)

    def _named(self, job: _Job) -> Artifact:
        place = self._place(job.spec.id)
        job.out.rename(place)
        made = artifacts.read(place)
        if made is None:
            raise OutOfDisk("the build's description")
        job.log.say(f"Built: {made.size / MIB:.1f} MB.", step=Step.BUILD)
        return made

    async def _bench(self, job: _Job, app: Path) -> Bench:
        spec = job.spec
        cache = await self._ready_cache(spec)
        reads = (*registries.files(), *(path for tool in job.tools for path in tool.mounts))
        return Bench(
            uid=spec.uid,
            app=app,
            cache=cache,
            temporary=job.work / "tmp",
            read_only=tuple(dict.fromkeys(reads)),
            binds=(Bind(source=self.toolchains.uv, target=f"{inside.TOOLS}/uv"),),
            path=(*inside.path(job.tools), inside.TOOLS),
            env=inside.environment(spec, job.tools),
            limits=inside.within_ours(spec.limits),
            network=self.network,
            deadline=job.deadline,
        )

    def _cache(self, spec: BuildSpec) -> Path:
        return self.machine.home.caches / str(spec.project_id)

    async def _ready_cache(self, spec: BuildSpec) -> Path:
        """Belongs to whoever builds now; `layers` beside it never does."""
        cache = self._cache(spec) / "store"
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        (cache / "home").mkdir(exist_ok=True)
        for directory in (self.machine.home.caches, cache.parent):
            directory.chmod(0o711)
        if self.machine.root and (cache / "home").stat().st_uid != spec.uid:
            await in_thread(lambda stop: trees.give(cache, spec.uid, stop=stop))
        return cache

    def _build_owner(self, spec: BuildSpec) -> trees.Owner:
        return trees.Owner(spec.uid if self.machine.root else None)

    @property
    def _our_owner(self) -> trees.Owner:
        return trees.Owner(0 if self.machine.root else None)


async def _remove(path: Path) -> None:
    await in_thread(lambda _: trees.remove(path))


def _source(spec: BuildSpec) -> Path:
    tree = spec.checkout.tree.resolve()
    source = (tree / spec.plan.root).resolve()
    if not source.is_dir() or not source.is_relative_to(tree):
        raise RootNotFound(spec.plan.root)
    return source


def _left_out(name: str, depth: int) -> bool:
    return depth == 0 and name in _LEFT_OUT


def _apps_own(name: str, depth: int) -> bool:
    """An app may write beside its code, but not into packages that releases share."""
    return depth > 0 or name not in layers.PLACES


def _hidden(name: str, depth: int) -> bool:  # noqa: ARG001 - a Skip
    return name.startswith(".") and name not in _KEPT_HIDDEN


def _lay_out(job: _Job, steps: tuple[BuildStep, ...], app: Path, owner: trees.Owner) -> None:
    """Only the inputs: what an install cannot see cannot change what it gives."""
    app.mkdir(mode=0o755, parents=True)
    for name in layers.inputs(steps):
        target = app / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (job.source / name).is_file():
            shutil.copyfile(job.source / name, target, follow_symlinks=False)
    if job.python:
        venv.make(app / ".venv", job.python, trees.Owner())
    if owner.uid is not None:
        trees.give(app, owner.uid, stop=Event())


def _link(source: Path, target: Path, owner: trees.Owner, stop: Event) -> None:
    try:
        trees.link(source, target, owner=owner, stop=stop)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        trees.remove(target)
        _copy(source, target, owner, stop)


def _copy(source: Path, target: Path, owner: trees.Owner, stop: Event) -> None:
    trees.copy(source, target, owner=owner, skip=trees.nothing, stop=stop)


def _move(source: Path, target: Path, *, owner: trees.Owner, stop: Event) -> None:
    try:
        source.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, target, owner, stop)
