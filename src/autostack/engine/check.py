"""Is a new instance ready? The platform asks; nothing is needed inside the app."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from autostack.engine.errors import CheckFailed, Crashed, Unhealthy
from autostack.engine.plan import Check, Process
from autostack.engine.release import (
    Answer,
    Instance,
    InstanceSpec,
    InstanceState,
    Listener,
    NetworkPlace,
    Observation,
)
from autostack.engine.run import Run

SERVER_ERROR = 500
EAGER_SECONDS = 3.0
GONE = frozenset(
    {
        InstanceState.BACKOFF,
        InstanceState.CRASHED,
        InstanceState.STOPPED,
        InstanceState.MISSING,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An instance that was started and has to prove itself. `begun` is monotonic seconds."""

    spec: InstanceSpec
    process: Process
    instance: Instance
    begun: float
    restarts: int = 0
    """Of one that was taken over: what it went through before says nothing."""


async def until_ready(run: Run, candidate: Candidate) -> Instance:
    """Where the candidate is reached, once it serves and has been up for a moment."""
    if candidate.process.name == "web":
        instance = await _until_it_serves(run, candidate)
    else:
        instance = candidate.instance
    await _stays_up(run, candidate)
    return instance


async def _until_it_serves(run: Run, candidate: Candidate) -> Instance:
    check = candidate.process.check or Check()
    search = Search(run, candidate)
    seat, answer, waited = candidate.instance, Answer(attempts=0, seconds=0), 0.0
    while waited < check.grace:
        answer = await _ask(run, candidate.spec.id, seat, check)
        if serves(answer) and await search.is_its_own():
            return seat
        await _still_there(run, candidate)
        seat = await search.look(seat)
        waited = run.tools.monotonic() - candidate.begun
        await run.tools.sleep(_pause(run, check, answer, waited))
    run.suspect, run.port = candidate.spec.id, candidate.spec.place.port
    run.listeners = tuple(await run.tools.runtime.listeners(candidate.spec.id))
    failure = CheckFailed if check.command else Unhealthy
    raise failure(candidate.process.name, check.grace, said(answer))


async def _ask(run: Run, instance_id: UUID, seat: Instance, check: Check) -> Answer:
    """A command speaks for the app; that it can be reached is asked all the same."""
    if check.command:
        limit = timedelta(seconds=check.timeout)
        answer = await run.tools.runtime.ask(instance_id, check.command, limit=limit)
        if answer.error:
            return answer
    return await run.tools.probe.once(seat.address, check)


def _pause(run: Run, check: Check, answer: Answer, waited: float) -> float:
    """A command takes what the app could use to get ready: half of the time at most."""
    pause = run.tools.pace.probe if waited < EAGER_SECONDS else check.interval
    return max(pause, answer.seconds) if check.command else pause


def serves(answer: Answer) -> bool:
    if answer.error:
        return False
    return answer.status is None or answer.status < SERVER_ERROR


def said(answer: Answer) -> str:
    if answer.status is not None:
        return f"HTTP {answer.status}"
    return answer.error or "no answer"


async def _stays_up(run: Run, candidate: Candidate) -> None:
    """Counted from its start, so that an app that takes longer to start waits for nothing."""
    up = run.tools.monotonic() - candidate.begun
    if up < run.tools.pace.stable:
        await run.tools.sleep(run.tools.pace.stable - up)
    await _still_there(run, candidate)


async def _still_there(run: Run, candidate: Candidate) -> None:
    seen = await run.tools.runtime.inspect(candidate.spec.id)
    if not has_crashed(seen, restarts=candidate.restarts):
        return
    run.suspect, run.exit = candidate.spec.id, seen.exit
    run.memory = candidate.spec.limits.memory
    raise Crashed(candidate.process.name, seen.exit.code if seen.exit else None)


def has_crashed(seen: Observation, *, restarts: int = 0) -> bool:
    return seen.state in GONE or seen.restarts > restarts


class Search:
    """Finds an app that listens somewhere else than it was told.

    Found twice, some time apart, means found: servers open and close ports while they start.
    """

    def __init__(self, run: Run, candidate: Candidate) -> None:
        self._run = run
        self._candidate = candidate
        self._place = candidate.spec.place
        self._looked_at = candidate.begun
        self._seen: Listener | None = None
        self._used: Listener | None = None

    async def look(self, seat: Instance) -> Instance:
        now = self._run.tools.monotonic()
        if now - self._looked_at < self._run.tools.pace.listeners:
            return seat
        self._looked_at = now
        found = elsewhere(await self._listeners(), self._place)
        known, self._seen = self._seen, found
        if found is None or found != known or found == self._used:
            return seat
        self._used = found
        await self._run.warn(
            f"Nothing listens on $PORT ({self._place.port}) for others; found {found.host}:"
            f"{found.port} and use it. Listen on 0.0.0.0 and $PORT."
        )
        return await self._run.tools.runtime.expose(self._candidate.spec.id, found)

    async def is_its_own(self) -> bool:
        """On a shared network a stranger may hold the port; its answer proves nothing."""
        if self._used is not None or not is_loopback(self._place.address):
            return True
        listeners = await self._listeners()
        return not listeners or any(found.port == self._place.port for found in listeners)

    async def _listeners(self) -> Sequence[Listener]:
        return await self._run.tools.runtime.listeners(self._candidate.spec.id)


def elsewhere(listeners: Sequence[Listener], place: NetworkPlace) -> Listener | None:
    """The best listener to use instead; None when one is where it should be, or there is none."""
    shared = is_loopback(place.address)
    for found in listeners:
        reached = not is_loopback(found.host) or (shared and is_v4_loopback(found))
        if found.port == place.port and reached:
            return None
    ranked = sorted(
        listeners, key=lambda one: (one.port != place.port, is_loopback(one.host), one.port)
    )
    return ranked[0] if ranked else None


def is_v4_loopback(found: Listener) -> bool:
    return found.host.startswith("127.") or found.host == "localhost"


def is_loopback(host: str) -> bool:
    return host.startswith("127.") or host in {"::1", "localhost"}
