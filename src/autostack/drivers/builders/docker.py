"""Images, built by a Docker engine from a project's Dockerfile or from one made of its plan.

An image is named `autostack/<project>:<build>` and has its name only when it is finished.
"""

import asyncio
import errno
import io
import tarfile
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO
from uuid import UUID

from autostack.core.home import Home
from autostack.drivers.builders import docker_file, docker_plan, registries
from autostack.drivers.builders.docker_engine import Build, Request, fetch
from autostack.drivers.builders.docker_plan import BaseImages
from autostack.drivers.machine import cgroup, meter
from autostack.drivers.machine.docker import LABEL, Client, Document, Engine
from autostack.engine.errors import (
    BuildFailed,
    BuildOutOfMemory,
    BuildTimedOut,
    DockerfileRefused,
    EngineUnavailable,
    OutOfDisk,
    RootNotFound,
)
from autostack.engine.plan import Family
from autostack.engine.ports import BuildSpec, LogSink
from autostack.engine.release import Artifact, Step

KIND = "image"
GENERATED = "Dockerfile.autostack"
NAMES = ("Dockerfile", "Containerfile")
MODERN = "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One build under way."""

    spec: BuildSpec
    log: LogSink
    source: Path
    name: str
    text: str

    @property
    def generated(self) -> bool:
        return self.name == GENERATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An image, by its labels."""

    id: str
    project: UUID | None
    build: UUID | None


class DockerBuilder:
    """The Builder of the Docker runtime. `network` is the engine's name for the one that builds
    get: `default` reaches the internet, `host` is this machine's own.
    """

    def __init__(
        self, engine: Engine, home: Home, *, bases: BaseImages, network: str = "default"
    ) -> None:
        self._engine = engine
        self._home = home
        self._bases = bases
        self._network = network

    async def build(self, spec: BuildSpec, *, log: LogSink) -> Artifact:
        kept = await self._engine.ask(lambda client: _find(client, tag_of(spec)))
        if kept is not None:
            log.say("This image is here already.", step=Step.BUILD)
            return _artifact(spec, kept, peak=0)
        job = await asyncio.to_thread(self._job, spec, log)
        seconds = spec.limits.seconds or 1800
        try:
            async with asyncio.timeout(seconds), self._group(spec) as group:
                peak = await self._make(job, group)
        except TimeoutError:
            raise BuildTimedOut(seconds) from None
        made = await self._engine.ask(lambda client: _find(client, tag_of(spec)))
        if made is None:  # it was killed as it built, and told nobody
            raise EngineUnavailable(self._engine.address)
        return _artifact(spec, made, peak=peak)

    async def remove(self, artifact: Artifact) -> None:
        """Its name, and with the last one its layers. One that is in use stays."""
        from docker.errors import APIError  # noqa: PLC0415 - see machine.docker

        def remove(client: Client) -> None:
            wanted = {"label": [f"autostack.build={artifact.id}"]}
            for found in client.images(filters=wanted):
                for tag in found.get("RepoTags") or ():
                    with suppress(APIError):
                        client.remove_image(tag)

        await self._engine.ask(remove)

    async def stored(self) -> list[Stored]:
        """Every image of this platform that has its name."""

        def look(client: Client) -> list[Stored]:
            return [_stored(found) for found in client.images(filters=self._engine.mine)]

        return [one for one in await self._engine.ask(look) if one.project and one.build]

    async def sizes(self) -> Mapping[UUID, int]:
        """Bytes that only the images of each project hold; layers of base images are shared."""
        used = await self._engine.ask(lambda client: client.df())
        found: dict[UUID, int] = {}
        images: list[Document] = used.get("Images") or []
        for image in images:
            one = _stored(image)
            if one.project and _labels(image).get(LABEL) == str(self._engine.home):
                own = int(image["Size"]) - max(0, int(image.get("SharedSize", 0)))
                found[one.project] = found.get(one.project, 0) + own
        return found

    def _job(self, spec: BuildSpec, log: LogSink) -> _Job:
        source = _source(spec)
        if spec.plan.family is Family.DOCKERFILE:
            name = next(one for one in NAMES if (source / one).is_file())
            text = (source / name).read_text(errors="replace")
        else:
            name, text = GENERATED, docker_plan.dockerfile(spec.plan, self._bases, names=spec.env)
        return _Job(spec=spec, log=log, source=source, name=name, text=text)

    async def _make(self, job: _Job, group: str | None) -> int:
        """Returns the most memory it needed, where that can be measured."""
        loop = asyncio.get_running_loop()

        def on_output(data: bytes) -> None:
            loop.call_soon_threadsafe(partial(job.log.output, data, step=Step.BUILD))

        given = {**registries.environment(), **job.spec.env}
        told = docker_file.read(job.text, given)
        await self._engine.ask(lambda client: _fetch_missing(client, told.bases, on_output))
        modern = told.modern or await self._engine.ask(_prefers_modern)
        request = self._request(job, told, given, modern=modern, group=group)
        with tempfile.TemporaryFile(dir=self._scratch()) as context:
            await asyncio.to_thread(_pack, job, context)
            async with meter.watching(
                job.spec.id, under=cgroup.BUILDS, tree=lambda: None
            ) as metered:
                await self._run(request, context, on_output)
        return metered.peak

    def _request(
        self,
        job: _Job,
        told: docker_file.Told,
        given: Mapping[str, str],
        *,
        modern: bool,
        group: str | None,
    ) -> Request:
        spec = job.spec
        return Request(
            id=spec.id,
            tag=tag_of(spec),
            dockerfile=job.name,
            arguments={name: given[name] for name in told.arguments if name in given},
            labels={
                **self._engine.labels,
                "autostack.project": str(spec.project_id),
                "autostack.build": str(spec.id),
            },
            limits=spec.limits,
            network=self._network,
            modern=modern,
            group=group,
        )

    async def _run(
        self, request: Request, context: IO[bytes], on_output: Callable[[bytes], None]
    ) -> None:
        """Never leaves the build behind: a canceled task waits until the engine let go of it."""
        build = Build(self._engine.client(), on_output)
        running = self._engine.begin(lambda _: build.run(request, context))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            build.end()
            await asyncio.wait({running})
            if not running.cancelled():
                running.exception()
            raise
        except (BuildFailed, DockerfileRefused) as error:
            if cgroup.use(request.id, under=cgroup.BUILDS).oom_kills:
                raise BuildOutOfMemory(request.limits.memory) from error
            raise

    def _scratch(self) -> Path:
        self._home.caches.mkdir(mode=0o711, parents=True, exist_ok=True)
        return self._home.caches

    @asynccontextmanager
    async def _group(self, spec: BuildSpec) -> AsyncGenerator[str | None]:
        """A cgroup that caps all of a build's processes together, where we may make one and the
        engine takes it.
        """
        takes = await self._engine.ask(_takes_groups)
        if not takes or cgroup.version() is None:
            yield None
            return
        cgroup.create(spec.id, spec.limits, under=cgroup.BUILDS)
        try:
            yield f"/{cgroup.BUILDS}/{spec.id}"
        finally:
            await asyncio.to_thread(_end_group, spec.id)


def tag_of(spec: BuildSpec) -> str:
    return f"autostack/{spec.project_id}:{spec.id}"


def _artifact(spec: BuildSpec, image: Document, *, peak: int) -> Artifact:
    return Artifact(
        id=str(spec.id),
        kind=KIND,
        location=str(image["Id"]),
        size=int(image["Size"]),
        peak_memory=peak,
    )


def _labels(image: Document) -> Mapping[str, str]:
    found: dict[str, str] | None = image.get("Labels")
    return found or {}


def _stored(image: Document) -> Stored:
    labels = _labels(image)
    project, build = labels.get("autostack.project"), labels.get("autostack.build")
    return Stored(
        id=str(image["Id"]),
        project=UUID(project) if project else None,
        build=UUID(build) if build else None,
    )


def _source(spec: BuildSpec) -> Path:
    tree = spec.checkout.tree.resolve()
    source = (tree / spec.plan.root).resolve()
    if not source.is_dir() or not source.is_relative_to(tree):
        raise RootNotFound(spec.plan.root)
    return source


def _find(client: Client, tag: str) -> Document | None:
    from docker.errors import ImageNotFound  # noqa: PLC0415 - see machine.docker

    try:
        return client.inspect_image(tag)
    except ImageNotFound:
        return None


def _fetch_missing(
    client: Client, images: tuple[str, ...], on_output: Callable[[bytes], None]
) -> None:
    for image in images:
        if _find(client, image) is None:
            fetch(client, image, on_output)


def _prefers_modern(client: Client) -> bool:
    """Engines since 23 name BuildKit as their builder."""
    answer = client.get(f"{client.base_url}/_ping")
    return str(answer.headers.get("Builder-Version")) == MODERN


def _takes_groups(client: Client) -> bool:
    """It runs on this machine, and names cgroups by their path."""
    info = client.info()
    return info.get("CgroupDriver") == "cgroupfs" and Path(info["DockerRootDir"]).is_dir()


def _pack(job: _Job, context: IO[bytes]) -> None:
    """The tree as the engine gets it, without what .dockerignore names. The Dockerfile comes
    first: BuildKit knows an archive by its first header, and only by a plain one.
    """
    from docker.utils.build import exclude_paths  # noqa: PLC0415 - see machine.docker

    kept = exclude_paths(str(job.source), _left_out(job), dockerfile=job.name) - {job.name}
    try:
        with tarfile.open(fileobj=context, mode="w", format=tarfile.GNU_FORMAT) as tar:
            _add_text(tar, job.name, job.text)
            for name in sorted(kept):
                _add(tar, job.source / name, name)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise OutOfDisk("the build's context") from None
    context.seek(0)


def _left_out(job: _Job) -> list[str]:
    if job.generated:
        return list(docker_plan.LEFT_OUT)
    file = job.source / ".dockerignore"
    if not file.is_file() or file.is_symlink():
        return [".git"]
    lines = file.read_text(errors="replace").splitlines()
    return [".git", *(line.strip() for line in lines if line.strip() and line[0] != "#")]


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    content = text.encode()
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    """Links as links; nothing of this machine's users gets in."""
    entry = tar.gettarinfo(str(path), arcname=name)
    if not (entry.isreg() or entry.isdir() or entry.issym() or entry.islnk()):
        return
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    if not entry.isreg():
        tar.addfile(entry)
        return
    with path.open("rb") as file:
        tar.addfile(entry, file)


def _end_group(build: UUID) -> None:
    """Version 1: the engine has made it in every hierarchy, and leaves it there."""
    cgroup.end(build, under=cgroup.BUILDS)
    for place in cgroup.ROOT.glob(f"*/{cgroup.BUILDS}/{build}"):
        with suppress(OSError):
            place.rmdir()
