"""From an order to a new release that serves: ARCHITECTURE §1 up to the switch.

Every step may be cut off by a crash at any moment. A second run reads what finished steps left
behind, redoes the open one, and ends in the same state as if nothing had happened.
"""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

from autostack.core.errors import AutostackError
from autostack.engine import facts, rollout
from autostack.engine.diagnose import Scene, diagnose
from autostack.engine.errors import Canceled, JournalAway, LeaseLost, ReleaseCommandFailed
from autostack.engine.order import Goal, Made, Order, Tools
from autostack.engine.plan import Plan
from autostack.engine.ports import BuildSpec, Journal, Wanted
from autostack.engine.release import Artifact, Checkout, Diagnosis, Status, Step
from autostack.engine.run import Run, guarded

logger = logging.getLogger(__name__)

RELEASE_PROCESS = "release"


async def deploy(order: Order, tools: Tools, journal: Journal) -> Status:
    """Bring the order's release into service and say how it ended.

    A failure before the switch leaves what serves as it was. Cancelling this task (the worker
    stops) leaves the deployment to be resumed.
    """
    run = Run(order, tools, journal)
    try:
        return await _deploy(run)
    finally:
        run.log.close()


async def _deploy(run: Run) -> Status:
    try:
        prepared = await guarded(_prepare(run), _canceled(run.journal))
        await rollout.switch(run, prepared)
    except (LeaseLost, JournalAway):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the deployment gets a verdict
        return await _give_up(run, error)
    await run.journal.ended(Status.SUCCESS)
    run.say("Live." if run.order.goal is not Goal.STOP else "Stopped.")
    return Status.SUCCESS


async def _canceled(journal: Journal) -> None:
    await journal.canceled()
    raise Canceled


async def _prepare(run: Run) -> rollout.Prepared:
    for caution in await asyncio.to_thread(run.tools.cautions):
        await run.warn(caution)
    made = run.order.reuse
    if made is None:
        made = await _make(run)
    else:
        await run.journal.reuse(made.id)
    return await rollout.prepare(run, made)


async def _make(run: Run) -> Made:
    checkout = await _fetch(run)
    plan = await _plan(run, checkout)
    artifact = await _build(run, checkout, plan)
    release_id = await run.journal.release(plan, artifact)
    made = Made(id=release_id, plan=plan, artifact=artifact)
    await _release_command(run, made)
    return made


async def _fetch(run: Run) -> Checkout:
    async with run.step(Step.FETCH) as record:
        repository = run.order.repository
        if record.kept is not None:
            kept = facts.load(Checkout, record.kept)
            if _present(kept.tree):
                return kept
            repository = replace(repository, ref=kept.sha)
        checkout = await run.tools.source.fetch(repository, log=run.log)
        await run.journal.found(checkout)
        record.leave(**facts.dump(checkout))
        return checkout


def _present(tree: Path) -> bool:
    return tree.is_dir()


async def _plan(run: Run, checkout: Checkout) -> Plan:
    async with run.step(Step.PLAN) as record:
        if record.kept is not None:
            plan = facts.load(Plan, record.kept)
        else:
            names = frozenset(run.order.env)
            detect = run.tools.detect
            plan = await asyncio.to_thread(detect, checkout.tree, run.order.overrides, names)
            await _tell(run, plan)
            record.leave(**facts.dump(plan))
    run.plan = plan
    return plan


async def _tell(run: Run, plan: Plan) -> None:
    for decision in plan.decisions:
        proof = decision.evidence
        where = f" ({proof.file}{f':{proof.line}' if proof.line else ''})" if proof else ""
        run.say(f"{decision.subject}: {decision.value}{where}")
    for variable in plan.missing:
        if variable.required:
            at = variable.evidence
            await run.warn(f"{variable.name} is read in {at.file}:{at.line} and is not set.")
    for warning in plan.warnings:
        await run.warn(warning)


async def _build(run: Run, checkout: Checkout, plan: Plan) -> Artifact:
    async with run.step(Step.BUILD) as record:
        if record.kept is not None:
            return facts.load(Artifact, record.kept)
        artifact = await run.tools.builder.build(_build_spec(run, checkout, plan), log=run.log)
        record.leave(**facts.dump(artifact))
        return artifact


def _build_spec(run: Run, checkout: Checkout, plan: Plan) -> BuildSpec:
    order = run.order
    return BuildSpec(
        id=order.id,
        project_id=order.project_id,
        checkout=checkout,
        plan=plan,
        env={**plan.env, **order.env},
        uid=order.build_uid,
        limits=order.build_limits,
    )


async def _release_command(run: Run, made: Made) -> None:
    command = made.plan.release_command
    if not command:
        await run.journal.skip(Step.RELEASE)
        return
    async with run.step(Step.RELEASE) as record:
        if record.kept is not None:
            return
        env = {**made.plan.env, **run.order.env}
        wanted = Wanted(process=RELEASE_PROCESS, index=0, command=command, env=env)
        await _run_once(run, made, wanted)
        record.leave(code=0)


async def _run_once(run: Run, made: Made, wanted: Wanted) -> None:
    """At least once: a run that a crash of the worker cut off is repeated from the start."""
    [spec] = await run.journal.allocate(made.id, [wanted])
    run.say(f"$ {' '.join(wanted.command)}")
    limit = run.tools.pace.release_command
    run.exit = await run.tools.runtime.run_once(spec, limit=limit, log=run.log)
    run.memory = spec.limits.memory
    await run.journal.stopped([spec.id])
    if run.exit.code != 0:
        raise ReleaseCommandFailed(run.exit.code)


async def _give_up(run: Run, error: Exception) -> Status:
    """Undo what was begun, then say how it ended, and why."""
    if isinstance(error, Canceled):
        await _tidy(run)
        run.say("Canceled.")
        await run.journal.ended(Status.CANCELED, message=str(error))
        return Status.CANCELED
    message = _words(run, error)
    diagnosis = await _explain(run, error)
    await _tidy(run)
    run.say(message, level="error")
    await run.journal.ended(Status.FAILED, message=message, diagnosis=diagnosis)
    return Status.FAILED


async def _explain(run: Run, error: Exception) -> Diagnosis | None:
    """A fault in a rule must not cost the verdict."""
    try:
        return await asyncio.to_thread(diagnose, await _look(run, error))
    except (LeaseLost, JournalAway):
        raise
    except Exception:
        logger.exception("deployment %s could not be diagnosed", run.order.id)
        return None


async def _tidy(run: Run) -> None:
    """A verdict is due even when tidying fails; the reconciler ends what is left."""
    try:
        await rollout.undo(run)
    except (LeaseLost, JournalAway):
        raise
    except Exception:
        logger.exception("deployment %s left something behind", run.order.id)
        run.say("Something could not be tidied up; the platform tries again.", level="warning")


def _words(run: Run, error: Exception) -> str:
    if isinstance(error, AutostackError):
        return run.redact(str(error))
    logger.error("deployment %s failed in %s", run.order.id, run.at, exc_info=error)
    return f"The platform itself failed in the step {run.at.value!r}. This is not your app's fault."


async def _look(run: Run, error: Exception) -> Scene:
    """Everything the rules may look at, while the suspect still exists."""
    lines = run.log.last()
    if run.suspect is not None:
        printed = await run.tools.tail(run.suspect)
        for line in printed[-20:]:
            run.say(line, level="error")
        lines = tuple(printed)
    return Scene(
        step=run.at,
        error=error,
        lines=tuple(run.redact(line) for line in lines),
        plan=run.plan,
        exit=run.exit,
        memory=run.memory,
        listeners=run.listeners,
        port=run.port,
        variables=frozenset(run.order.env),
    )
