"""New instances beside the old ones, proved, then all domains at once; or as if never begun."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from autostack.core.errors import AutostackError
from autostack.engine.check import Candidate, until_ready
from autostack.engine.errors import SwitchError
from autostack.engine.order import Goal, Made
from autostack.engine.plan import Check, Plan, Process
from autostack.engine.ports import Living, Wanted
from autostack.engine.release import Artifact, InstanceSpec, Routes, Step
from autostack.engine.run import Run, end, together


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A release that may take over: `targets` answer, `late` start when it has."""

    made: Made
    targets: tuple[str, ...]
    late: tuple[InstanceSpec, ...]
    started: tuple[tuple[str, UUID], ...] = ()
    """The first instance of each process type that was started beside the old ones."""


def wanted(plan: Plan, *, env: Mapping[str, str], scale: Mapping[str, int]) -> Iterator[Wanted]:
    """The instances a release runs as. The user's variables rank above the plan's."""
    for process in plan.processes:
        count = scale.get(process.name, process.count)
        for index in range(min(count, 1) if process.single else count):
            yield Wanted(
                process=process.name,
                index=index,
                command=process.command,
                env={**plan.env, **env},
            )


def is_early(process: Process) -> bool:
    """Started beside the old ones; others change places with them at the switch."""
    return process.name == "web" or process.overlap


def gives_way(plan: Plan) -> frozenset[str]:
    """Process types whose old instances end before the new ones start."""
    return frozenset(
        process.name for process in plan.processes if process.single or not is_early(process)
    )


def published(plan: Plan, artifact: Artifact) -> Path | None:
    """The directory a static release is served from; None when processes serve it. Builders put
    what they built below `app`.
    """
    if plan.publish is None or plan.web is not None:
        return None
    return Path(artifact.location) / "app" / plan.publish


async def prepare(run: Run, made: Made) -> Prepared:
    """Start the new instances and wait until each has proved itself."""
    run.plan = made.plan
    kinds = {process.name: process for process in made.plan.processes}
    async with run.step(Step.START):
        scale = dict.fromkeys(kinds, 0) if run.order.goal is Goal.STOP else run.order.scale
        listed = list(wanted(made.plan, env=run.order.env, scale=scale))
        specs: Sequence[InstanceSpec] = ()
        if listed:
            if run.order.goal is Goal.ROLLBACK:
                # While the release before is still kept, going back to it starts nothing.
                await run.journal.adopt(made.id, listed)
            specs = await run.journal.allocate(made.id, listed)
        early = [spec for spec in specs if is_early(kinds[spec.process])]
        await _end_single(run, made.plan, early)
        candidates = await _start(run, early, kinds)
    async with run.step(Step.CHECK, limit=_longest(candidates)):
        instances = await together([until_ready(run, one) for one in candidates])
        await run.journal.started(instances)
    pairs = zip(candidates, instances, strict=True)
    return Prepared(
        made=made,
        targets=tuple(at.address for one, at in pairs if one.process.name == "web"),
        late=tuple(spec for spec in specs if spec not in early),
        started=tuple({spec.process: spec.id for spec in reversed(early)}.items()),
    )


def _longest(candidates: Sequence[Candidate]) -> timedelta:
    """Each ends by its own grace; this is for a runtime that hangs."""
    graces = [(one.process.check or Check()).grace for one in candidates]
    return timedelta(seconds=max(graces, default=0) + 60)


async def _start(
    run: Run, specs: Sequence[InstanceSpec], kinds: Mapping[str, Process]
) -> list[Candidate]:
    async def start(spec: InstanceSpec) -> Candidate:
        process, restarts = kinds[spec.process], await _restarts(run, spec)
        instance = await run.tools.runtime.start(spec)
        begun = run.tools.monotonic()
        return Candidate(
            spec=spec, process=process, instance=instance, begun=begun, restarts=restarts
        )

    candidates = await together([start(spec) for spec in specs])
    await run.journal.started([candidate.instance for candidate in candidates])
    return candidates


async def _restarts(run: Run, spec: InstanceSpec) -> int:
    """Only a rollback takes over what ran before."""
    if run.order.goal is not Goal.ROLLBACK:
        return 0
    return (await run.tools.runtime.inspect(spec.id)).restarts


async def _end_single(run: Run, plan: Plan, early: Sequence[InstanceSpec]) -> None:
    names = gives_way(plan) & {spec.process for spec in early}
    if names:
        await _end_old(run, [one for one in await run.journal.older() if one.process in names])


async def _end_old(run: Run, old: Sequence[Living]) -> None:
    """Their rows stay: until the new release has settled they may have to come back."""
    grace = run.tools.pace.stop
    await together([run.tools.runtime.stop(one.id, grace=grace) for one in old])


async def switch(run: Run, prepared: Prepared) -> None:
    """Point all domains at the new release, then let the workers change places."""
    # Read meanwhile: what was printed takes a moment to arrive.
    printed = asyncio.ensure_future(_printed(run, prepared.started))
    try:
        await _switch(run, prepared)
        await asyncio.wait({printed}, timeout=run.tools.pace.printed)
    finally:
        await end(printed)


async def _printed(run: Run, started: Sequence[tuple[str, UUID]]) -> None:
    """What the new instances said while they started belongs to the story of the deployment."""
    for process, instance_id in started:
        for line in await run.tools.tail(instance_id):
            run.log.output(f"{process} | {line}\n".encode(), step=Step.CHECK)


async def _switch(run: Run, prepared: Prepared) -> None:
    made = prepared.made
    directory = None if run.order.goal is Goal.STOP else published(made.plan, made.artifact)
    async with run.step(Step.SWITCH):
        await _begin_measuring(run, made)
        routes, generation = await run.journal.routed(made.id, prepared.targets, directory)
        await run.tools.router.apply(routes, generation=generation)
        await run.tools.router.confirm(routes, limit=run.tools.pace.confirm)
        await _change_workers(run, prepared)


async def _begin_measuring(run: Run, made: Made) -> None:
    before = await run.journal.before()
    serving = before.routes if before is not None and leads_somewhere(before.routes) else None
    web = made.plan.web
    check = web.check if web is not None and web.check is not None else Check()
    await run.tools.gauge.begin(
        run.order.id,
        run.tools.router,
        serving=None if run.order.goal is Goal.STOP else serving,
        path=check.path or "/",
        every=run.tools.pace.visit,
    )


def leads_somewhere(routes: Routes) -> bool:
    return bool(routes.targets or routes.directory)


async def _change_workers(run: Run, prepared: Prepared) -> None:
    web = {process.name for process in prepared.made.plan.processes if is_early(process)}
    old = await run.journal.older()
    await _end_old(run, [one for one in old if one.process not in web | {"web"}])
    kinds = {process.name: process for process in prepared.made.plan.processes}
    candidates = await _start(run, prepared.late, kinds)
    await together([until_ready(run, candidate) for candidate in candidates])


async def undo(run: Run) -> None:
    """What served before serves again, and nothing of this deployment is left."""
    await run.tools.gauge.drop(run.order.id)
    restored = await run.journal.restored()
    if restored is None and run.order.goal is Goal.ROLLBACK:
        await run.journal.give_back()
    await _revive(run)
    if restored is not None:
        await lead_back(run, *restored)
    await end_mine(run)


async def lead_back(run: Run, routes: Routes, generation: int) -> None:
    """The edge takes the file over even if it cannot confirm now; so that is not waited for."""
    try:
        await run.tools.router.apply(routes, generation=generation)
        await run.tools.router.confirm(routes, limit=run.tools.pace.confirm)
    except SwitchError as error:
        run.say(f"The edge has not confirmed the way back yet: {error}", level="warning")


async def _revive(run: Run) -> None:
    """Start again all that served and is gone: ended to make room, or by a reboot."""
    if run.plan is None:
        return
    before = await run.journal.before()
    if before is None:
        return
    try:
        specs = await run.journal.specs(before.instances)
        await together([run.tools.runtime.start(spec) for spec in specs])
    except AutostackError as error:
        run.say(f"The previous release could not be started again: {error}", level="error")


async def end_mine(run: Run) -> None:
    await end_and_free(run, [one.id for one in await run.journal.mine()])


async def end_and_free(run: Run, instance_ids: Sequence[UUID]) -> None:
    grace = run.tools.pace.stop
    await together([run.tools.runtime.stop(one, grace=grace) for one in instance_ids])
    if instance_ids:
        await run.journal.stopped(instance_ids)
