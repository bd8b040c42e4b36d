"""The edge: route files for Traefik, confirmed through Traefik itself."""

import asyncio
import fcntl
import os
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from autostack.drivers.machine.sockets import count_to
from autostack.drivers.routers import documents
from autostack.drivers.routers.documents import ASK, RELEASE, VISIT, Sites
from autostack.drivers.routers.meter import Meter, port_inside
from autostack.drivers.routers.visits import Place, visited
from autostack.engine.errors import StaleGeneration, SwitchUnconfirmed
from autostack.engine.release import Answer, Drained, Routes
from autostack.engine.tally import Tally

PAUSE = 0.02
ASK_SECONDS = 2.0
QUIET = timedelta(seconds=0.1)
SETTLE = timedelta(seconds=0.25)
"""Measured: no request reached the old release later than 8 ms after the new was visible."""

UNANSWERED = (
    OSError,
    ValueError,
    TimeoutError,
    asyncio.IncompleteReadError,
    asyncio.LimitOverrunError,
)

Look = tuple[int, int, int]
"""Of a file: inode, time of change, size."""
FindSites = Callable[[], Awaitable[Sites]]


class TraefikRouter:
    """The port `Router` for one Traefik on this machine.

    `directory` is the edge's (`Home.edge`): `routes/` is watched, `staging/` lies beside it on the
    same file system, so that a rename is all Traefik ever sees. `sites` starts the server of
    static sites and says where it is. `count` tells how many connections are open to addresses.
    """

    def __init__(
        self,
        directory: Path,
        *,
        port: int,
        sites: FindSites | None = None,
        count: Callable[[Sequence[str]], int] = count_to,
        settle: timedelta = SETTLE,
    ) -> None:
        self._files = RouteFiles(directory)
        self._port = port
        self._sites = sites
        self._count = count
        self._settle = settle
        self._meter = Meter(directory)
        self._directory = directory

    async def apply(self, routes: Routes, *, generation: int) -> None:
        sites = await self._sites() if routes.directory is not None and self._sites else None
        document = documents.route(routes, sites=sites)
        text = documents.encode(document, generation=generation)
        await asyncio.to_thread(self._files.put, routes.environment_id, text, generation)

    async def confirm(self, routes: Routes, *, limit: timedelta) -> None:
        try:
            async with asyncio.timeout(limit.total_seconds()):
                for host in routes.hosts:
                    await self._until_it_answers(host, routes)
        except TimeoutError:
            raise SwitchUnconfirmed(limit.total_seconds()) from None

    async def drain(self, targets: Sequence[str], *, limit: timedelta) -> Drained:
        begun = time.monotonic()
        # A request may have been on its way to the old release when the new one was visible.
        await asyncio.sleep(self._settle.total_seconds())
        zeros, count = 0, 0
        while True:
            count = await asyncio.to_thread(self._count, targets)
            zeros = zeros + 1 if count == 0 else 0
            seconds = time.monotonic() - begun
            if zeros == 2 or seconds >= limit.total_seconds():  # noqa: PLR2004 - twice, to be sure
                return Drained(seconds=seconds, open=count)
            await asyncio.sleep(QUIET.total_seconds())

    async def visit(self, routes: Routes, *, path: str, limit: timedelta) -> Answer:
        word = documents.visit(routes.environment_id)
        place = Place(port=self._port, host=routes.hosts[0], header=f"{VISIT}: {word}")
        return await visited(place, path=path, limit=limit)

    async def tallies(self, *, fresh: bool = False) -> Mapping[UUID, Tally]:
        return await self._meter.read(fresh=fresh)

    async def remove(self, environment_id: UUID, *, generation: int) -> None:
        await asyncio.to_thread(self._files.remove, environment_id, generation)

    async def drifted(self) -> bool:
        return await asyncio.to_thread(self._files.changed)

    async def _until_it_answers(self, host: str, routes: Routes) -> None:
        while True:
            if await self._answers(host, routes):
                return
            await asyncio.sleep(PAUSE)

    async def _answers(self, host: str, routes: Routes) -> bool:
        try:
            async with asyncio.timeout(ASK_SECONDS):
                head = await _ask(port_inside(self._directory), host, documents.question(routes))
        except UNANSWERED:
            return False
        wanted = f"\r\n{RELEASE}: {routes.release_id}\r\n".lower()
        return wanted in head.decode("latin-1").lower()


async def _ask(port: int, host: str, question: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(
            f"HEAD / HTTP/1.1\r\nHost: {host}\r\n{ASK}: {question}\r\n"
            "User-Agent: AutoStack\r\nConnection: close\r\n\r\n".encode()
        )
        return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()


class RouteFiles:
    """The directory Traefik reads. All in it is whole, ours, and of the newest generation."""

    def __init__(self, directory: Path) -> None:
        self.routes = directory / "routes"
        self.staging = directory / "staging"
        self.removed = directory / "removed"
        self.foreign = directory / "foreign"
        self._known: dict[str, Look] | None = None
        """As we left them, from the first call of `changed` on."""

    def prepare(self) -> None:
        for each in (self.routes, self.staging, self.removed, self.foreign):
            each.mkdir(parents=True, exist_ok=True)

    def put(self, environment_id: UUID, text: str, generation: int) -> None:
        with self._locked():
            self._refuse_older(environment_id, generation)
            self._sweep_names()
            path = self._path(environment_id)
            if _read(path) != text:
                self.write(path, text)
            self._note(path)

    def remove(self, environment_id: UUID, generation: int) -> None:
        with self._locked():
            self._refuse_older(environment_id, generation)
            # First the memory that it is gone, so that a late `put` is refused in any case.
            self.write(
                self.removed / str(environment_id), documents.encode({}, generation=generation)
            )
            self._path(environment_id).unlink(missing_ok=True)
            self._note(self._path(environment_id))

    def changed(self) -> bool:
        """Whether another hand was at the files; what Traefik could stumble over is put aside."""
        with self._locked():
            known, found = self._known, self._looks()
            is_changed = known is not None and known != found
            if is_changed:
                self._put_aside_what_is_broken()
            self._known = self._looks()
            return is_changed

    def _looks(self) -> dict[str, Look]:
        return {path.name: _look(path) for path in self.routes.iterdir()}

    def _note(self, path: Path) -> None:
        if self._known is None:
            return
        self._known.pop(path.name, None)
        if path.exists():
            self._known[path.name] = _look(path)

    def write(self, path: Path, text: str) -> None:
        """All or nothing, also when the power fails."""
        staged = self.staging / f"{path.name}.{os.getpid()}"
        with staged.open("w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o640)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        staged.rename(path)
        _sync(path.parent)

    def sweep(self) -> None:
        """Before a start: put aside whatever Traefik could stumble over."""
        with self._locked():
            self._put_aside_what_is_broken()
            for path in self.staging.iterdir():
                if path.name != "lock":
                    path.unlink(missing_ok=True)

    def _put_aside_what_is_broken(self) -> None:
        self._sweep_names()
        for path in sorted(self.routes.iterdir()):
            if not documents.is_whole(_read(path)):
                self._put_aside(path)

    def _sweep_names(self) -> None:
        for path in self.routes.iterdir():
            if not _is_ours(path):
                self._put_aside(path)

    def _put_aside(self, path: Path) -> None:
        path.rename(self.foreign / f"{path.name}.{time.time_ns()}")

    def _path(self, environment_id: UUID) -> Path:
        return self.routes / f"{environment_id}.yml"

    def _refuse_older(self, environment_id: UUID, generation: int) -> None:
        for path in (self._path(environment_id), self.removed / str(environment_id)):
            current = documents.generation_of(_read(path))
            if current is not None and generation < current:
                raise StaleGeneration(generation, current)

    @contextmanager
    def _locked(self) -> Generator[None]:
        """One writer at a time, of all processes: compare and rename are one act."""
        self.prepare()
        with (self.staging / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _look(path: Path) -> Look:
    """What differs when a file was written again; the edge writes its own page file itself."""
    if path.name == f"{documents.PAGES}.yml":
        return (0, 0, 0)
    seen = path.lstat()
    return (seen.st_ino, seen.st_mtime_ns, seen.st_size)


def _is_ours(path: Path) -> bool:
    if path.is_symlink() or not path.is_file() or path.suffix != ".yml":
        return False
    if path.name == f"{documents.PAGES}.yml":
        return True
    try:
        return str(UUID(path.stem)) == path.stem
    except ValueError:
        return False


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
