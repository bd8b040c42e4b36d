"""After the switch: drain the old release, watch the new one, retire what is not needed."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from autostack.engine import facts, rollout
from autostack.engine.check import has_crashed
from autostack.engine.diagnose import Scene, diagnose
from autostack.engine.errors import Unstable
from autostack.engine.order import Goal, Order, Tools
from autostack.engine.ports import Journal, Served
from autostack.engine.reconcile import GONE
from autostack.engine.release import Observation, Status, Step
from autostack.engine.run import Run, together


async def settle(order: Order, tools: Tools, journal: Journal) -> Status:
    """Finish a deployment that serves. It may still turn into FAILED: then what served before
    serves again.
    """
    run = Run(order, tools, journal)
    try:
        return await _settle(run)
    finally:
        run.log.close()


async def _settle(run: Run) -> Status:
    await _drain(run)
    trouble = await _watch(run)
    if trouble is None:
        await _retire(run)
        verdict = Status.SUCCESS
    else:
        verdict = await _go_back(run, trouble)
    await run.journal.settled()
    return verdict


async def _drain(run: Run) -> None:
    async with run.step(Step.DRAIN) as record:
        targets = [
            one.address
            for one in await run.journal.older()
            if one.process == "web" and one.address is not None
        ]
        if record.kept is not None or not targets:
            return
        seen = await run.tools.router.drain(targets, limit=run.tools.pace.drain)
        record.leave(seconds=seen.seconds, open=seen.open)
        if seen.open:
            run.say(f"{seen.open} connections were still open when the drain ended.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What the watch saw of an instance that did not hold out."""

    instance: UUID
    process: str
    seen: Observation

    @property
    def words(self) -> str:
        if self.seen.exit is not None:
            return f"ended with exit code {self.seen.exit.code}"
        return "was restarted" if self.seen.restarts else f"is {self.seen.state.value}"


async def _watch(run: Run) -> Trouble | None:
    """The verdict is kept before anything is undone, so that a crash cannot change it."""
    async with run.step(Step.WATCH) as record:
        if record.kept is not None:
            kept = record.kept.get("trouble")
            return facts.load(Trouble, kept) if kept else None
        if run.order.goal is Goal.STOP:
            return None
        state, trouble, seconds = await _observe(run)
        seen = {"state": state, "seconds": round(seconds, 2), "why": trouble and trouble.words}
        await run.journal.watched(seen)
        record.leave(state=state, trouble=trouble and facts.dump(trouble))
        return trouble


async def _observe(run: Run) -> tuple[str, Trouble | None, float]:
    await run.journal.watched({"state": "open"})
    begun = run.tools.monotonic()
    limit = run.tools.pace.watch.total_seconds()
    seconds = 0.0
    while seconds < limit:
        if not await run.journal.current():
            return "replaced", None, seconds
        trouble = await _look(run)
        if trouble is not None and await run.journal.current():
            return "worse", trouble, seconds
        await run.tools.sleep(run.tools.pace.look)
        seconds = run.tools.monotonic() - begun
    return "passed", None, seconds


async def _look(run: Run) -> Trouble | None:
    """What is gone was ended on purpose, as by a newer deployment that makes room, or by a
    reboot: an app that fails is seen failing.
    """
    mine = await run.journal.mine()
    seen = await together([run.tools.runtime.inspect(one.id) for one in mine])
    for one, now in zip(mine, seen, strict=True):
        if now.state not in GONE and has_crashed(now):
            return Trouble(instance=one.id, process=one.process, seen=now)
    return None


def serves(before: Served) -> bool:
    """A stopped one does not; one without web processes does."""
    return bool(before.routes.targets or before.routes.directory or before.instances)


async def _retire(run: Run) -> None:
    async with run.step(Step.RETIRE):
        await rollout.end_and_free(run, [one.id for one in await run.journal.older()])


async def _go_back(run: Run, trouble: Trouble) -> Status:
    """Only the release that is routed now can be undone, and only to one that still runs."""
    run.at = Step.WATCH
    before = await run.journal.before()
    if before is None or not serves(before):
        await run.warn(f"{trouble.process} {trouble.words}; no earlier release runs to go back to.")
        await _retire(run)
        return Status.SUCCESS
    lines = tuple(run.redact(line) for line in await run.tools.tail(trouble.instance))
    await rollout.undo(run)
    error = Unstable(trouble.process, trouble.words)
    run.say(str(error), level="error")
    scene = Scene(step=Step.WATCH, error=error, lines=lines, exit=trouble.seen.exit)
    await run.journal.ended(
        Status.FAILED, message=str(error), diagnosis=await asyncio.to_thread(diagnose, scene)
    )
    return Status.FAILED
