"""After the switch: drain the old release, watch the new one, retire what is not needed."""

import asyncio
from dataclasses import asdict

from autostack.engine import facts, rollout
from autostack.engine.diagnose import Scene, diagnose
from autostack.engine.errors import Unstable
from autostack.engine.order import Goal, Order, Tools
from autostack.engine.ports import Journal, Served
from autostack.engine.release import GoingBack, Status, Step
from autostack.engine.run import Run
from autostack.engine.tally import Tally
from autostack.engine.watch import Trouble, Watch


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
    usual = await run.journal.usual()
    await _measure(run, usual)
    trouble = await _watch(run, usual)
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


async def _measure(run: Run, usual: Tally) -> None:
    """Say what the switch cost; what a worker that died had measured is not known."""
    made, before = run.order.reuse, await run.journal.before()
    if made is None:
        return
    old = before.release_id if before is not None and serves(before) else None
    found = await run.tools.gauge.end(
        run.order.id, run.tools.router, old=old, new=made.id, usual=usual
    )
    if found is not None and run.order.goal is not Goal.STOP:
        await run.journal.measured({**asdict(found), "summary": found.summary})
        run.say(found.summary, level="warning" if found.failed or found.visits_failed else "info")


async def _watch(run: Run, usual: Tally) -> Trouble | None:
    """The verdict is kept before anything is undone, so that a crash cannot change it."""
    async with run.step(Step.WATCH) as record:
        if record.kept is not None:
            kept = record.kept.get("trouble")
            return facts.load(Trouble, kept) if kept else None
        made, limit = run.order.reuse, _watched_for(run)
        if run.order.goal is Goal.STOP or made is None or limit <= 0:
            return None
        await run.journal.watched({"state": "open", "limit": limit})
        seen = await Watch(run, release=made.id, before=usual, seconds=limit).over()
        trouble = seen.trouble
        why = trouble and f"{trouble.process} {trouble.words}"
        await run.journal.watched(
            {"state": seen.state, "seconds": seen.seconds, "why": why, **seen.figures}
        )
        record.leave(state=seen.state, trouble=trouble and facts.dump(trouble))
        return trouble


def _watched_for(run: Run) -> float:
    own = run.order.watch.seconds
    return run.tools.pace.watch.total_seconds() if own is None else own


def serves(before: Served) -> bool:
    """A stopped one does not; one without web processes does."""
    return rollout.leads_somewhere(before.routes) or bool(before.instances)


async def _retire(run: Run) -> None:
    async with run.step(Step.RETIRE):
        await rollout.end_and_free(run, [one.id for one in await run.journal.leaving()])


async def _go_back(run: Run, trouble: Trouble) -> Status:
    """Only the release that is routed now can be undone, and only to one that still runs."""
    run.at = Step.WATCH
    before = await run.journal.before()
    kept = _reason_to_keep(run, trouble, before)
    if kept:
        await run.warn(f"{trouble.process} {trouble.words}; {kept}")
        await _retire(run)
        return Status.SUCCESS
    printed = await run.tools.tail(trouble.instance) if trouble.instance else ()
    lines = tuple(run.redact(line) for line in printed)
    await rollout.undo(run)
    error = Unstable(trouble.process, trouble.words)
    run.say(str(error), level="error")
    scene = Scene(step=Step.WATCH, error=error, lines=lines, exit=trouble.exit)
    await run.journal.ended(
        Status.FAILED, message=str(error), diagnosis=await asyncio.to_thread(diagnose, scene)
    )
    return Status.FAILED


def _reason_to_keep(run: Run, trouble: Trouble, before: Served | None) -> str:
    """Why the domains stay with a release that is worse; nothing when they shall go back."""
    rule = run.order.watch.going_back
    if before is None or not serves(before):
        return "no earlier release runs to go back to."
    if rule is GoingBack.NEVER:
        return "going back by itself is switched off. To go back: autostack rollback"
    changed = run.plan is not None and run.plan.release_command and run.order.goal is Goal.DEPLOY
    if rule is GoingBack.CAREFUL and changed and trouble.instance is None:
        return (
            "a release command ran, so the release before may not fit the data any more and is "
            "not brought back by itself. To go back: autostack rollback"
        )
    return ""
