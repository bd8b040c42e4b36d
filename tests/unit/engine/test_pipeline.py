import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from types import TracebackType
from uuid import UUID, uuid4

import pytest

from autostack.engine.errors import (
    BranchNotFound,
    BuildFailed,
    LeaseLost,
    StartRefused,
    SwitchUnconfirmed,
)
from autostack.engine.order import Goal
from autostack.engine.pipeline import deploy
from autostack.engine.plan import Check
from autostack.engine.release import (
    Answer,
    Exit,
    InstanceState,
    Listener,
    Observation,
    Outcome,
    Status,
    Step,
)
from autostack.engine.settle import settle
from tests.fakes import FakeJournal, FakeRecord
from tests.unit.engine.platform import PLAN, WEB, WORKER, Platform, until

RUNNING = Observation(id=uuid4(), state=InstanceState.RUNNING)
CRASHED = Observation(id=uuid4(), state=InstanceState.CRASHED, exit=Exit(code=3))
COMMAND = Check(path=None, command=("sh", "-c", "./ready"), grace=0.2, interval=0.01)


async def run(platform: Platform, journal: FakeJournal) -> Status:
    return await deploy(platform.order(), platform.tools, journal)


async def test_a_first_deployment_goes_through_every_step_and_serves(platform: Platform) -> None:
    journal = platform.journal()

    assert await run(platform, journal) is Status.SUCCESS

    assert list(journal.outcomes) == [
        Step.FETCH,
        Step.PLAN,
        Step.BUILD,
        Step.RELEASE,
        Step.START,
        Step.CHECK,
        Step.SWITCH,
    ]
    assert platform.serving == ("10.0.0.2:8000",)
    assert platform.runtime.processes() == ["web"]


async def test_a_second_release_takes_over_and_the_first_is_retired_when_settled(
    platform: Platform,
) -> None:
    await platform.live()
    second = platform.journal()

    assert await run(platform, second) is Status.SUCCESS
    both = platform.runtime.processes()
    assert await platform.settle(second) is Status.SUCCESS

    assert both == ["web", "web"]
    assert platform.runtime.processes() == ["web"]
    assert platform.serving == ("10.0.0.3:8000",)
    assert platform.router.drained == ["10.0.0.2:8000"]
    assert second.is_settled


@pytest.mark.parametrize(
    ("step", "error"),
    [(Step.FETCH, BranchNotFound("next")), (Step.BUILD, BuildFailed("uv sync", 2))],
)
async def test_a_failure_before_the_start_touches_nothing(
    platform: Platform, step: Step, error: Exception
) -> None:
    await platform.live()
    before, journal = dict(platform.runtime.running), platform.journal()
    platform.source.failure = error if step is Step.FETCH else None
    platform.builder.failure = error if step is Step.BUILD else None

    assert await run(platform, journal) is Status.FAILED

    assert journal.outcomes[step] is Outcome.FAILED
    assert journal.message == str(error)
    assert journal.diagnosis is not None
    assert platform.runtime.running == before
    assert platform.serving == ("10.0.0.2:8000",)


async def test_an_unhealthy_release_never_gets_traffic(platform: Platform) -> None:
    await platform.live()
    platform.probe.answer = Answer(attempts=1, seconds=0, status=503)
    journal = platform.journal()

    assert await run(platform, journal) is Status.FAILED

    assert "HTTP 503" in journal.message
    assert platform.serving == ("10.0.0.2:8000",)
    assert platform.runtime.processes() == ["web"]
    assert len(platform.router.applied) == 1


async def test_a_check_command_is_asked_until_it_says_yes(platform: Platform) -> None:
    platform.plan = replace(PLAN, processes=(replace(WEB, check=COMMAND),))
    platform.runtime.objections = ["the check command ended with exit code 1"] * 2

    assert await run(platform, platform.journal()) is Status.SUCCESS

    assert platform.runtime.asked == [COMMAND.command] * 3
    assert platform.probe.asked == ["10.0.0.2:8000"]


async def test_an_app_whose_check_command_says_no_never_gets_traffic(platform: Platform) -> None:
    platform.plan = replace(PLAN, processes=(replace(WEB, check=COMMAND),))
    platform.runtime.objections = ["the check command ended with exit code 1: no tables"] * 1000
    platform.runtime.listening = (Listener(host="0.0.0.0", port=8000),)
    journal = platform.journal()

    assert await run(platform, journal) is Status.FAILED

    assert "exit code 1: no tables" in journal.message
    assert journal.diagnosis is not None
    assert journal.diagnosis.code == "check_failed"
    assert platform.router.applied == []


async def test_an_app_that_calls_itself_ready_must_be_reached_too(platform: Platform) -> None:
    platform.plan = replace(PLAN, processes=(replace(WEB, check=COMMAND),))
    platform.probe.answer = Answer(attempts=1, seconds=0, error="connection refused")
    journal = platform.journal()

    assert await run(platform, journal) is Status.FAILED

    assert "connection refused" in journal.message


async def test_a_fault_in_the_diagnosis_does_not_cost_the_verdict(platform: Platform) -> None:
    async def tail(_instance: UUID) -> list[str]:
        raise RuntimeError

    platform.runtime.behave["web"] = CRASHED
    platform.probe.answer = Answer(attempts=1, seconds=0, error="connection refused")
    journal = platform.journal()

    verdict = await deploy(platform.order(), replace(platform.tools, tail=tail), journal)

    assert verdict is Status.FAILED
    assert journal.diagnosis is None
    assert platform.runtime.running == {}


async def test_a_crash_at_the_start_fails_at_once_with_the_last_lines(platform: Platform) -> None:
    platform.plan = replace(PLAN, processes=(replace(WEB, check=None),))
    platform.probe.answer = Answer(attempts=1, seconds=0, error="connection refused")
    platform.runtime.behave["web"] = CRASHED
    platform.printed = ("Traceback", "ModuleNotFoundError: No module named 'flask'")
    journal = platform.journal()

    async with asyncio.timeout(1):
        assert await run(platform, journal) is Status.FAILED

    assert journal.diagnosis is not None
    assert journal.diagnosis.code == "missing_module"
    assert "ModuleNotFoundError: No module named 'flask'" in platform.log.said
    assert platform.runtime.running == {}


async def test_an_app_on_another_port_is_found_used_and_warned_about(platform: Platform) -> None:
    platform.probe.answer = Answer(attempts=1, seconds=0, error="connection refused")
    platform.probe.special["10.0.0.2:1"] = Answer(attempts=1, seconds=0, status=200)
    platform.runtime.listening = (Listener(host="127.0.0.1", port=3000),)
    journal = platform.journal()

    assert await run(platform, journal) is Status.SUCCESS

    assert platform.serving == ("10.0.0.2:1",)
    assert "found 127.0.0.1:3000" in journal.warnings[0]


async def test_a_failing_release_command_stops_before_anything_starts(platform: Platform) -> None:
    platform.plan = replace(PLAN, release_command=("migrate",))
    platform.runtime.exit = Exit(code=4)
    journal = platform.journal()

    assert await run(platform, journal) is Status.FAILED

    assert journal.diagnosis is not None
    assert journal.diagnosis.code == "release_command_failed"
    assert platform.runtime.history == []


async def test_an_unconfirmed_switch_leads_back_and_leaves_the_old_release(
    platform: Platform,
) -> None:
    await platform.live()
    platform.router.unconfirmed = SwitchUnconfirmed(10)
    journal = platform.journal()

    assert await run(platform, journal) is Status.FAILED

    assert platform.serving == ("10.0.0.2:8000",)
    assert platform.router.generations[platform.environment.id] == 3
    assert len(platform.runtime.running) == 1


async def test_workers_change_at_the_switch_the_old_one_ends_first(platform: Platform) -> None:
    platform.plan = replace(PLAN, processes=(WEB, WORKER))
    first = await platform.live()
    old = first.rows["worker", 0].id
    journal = platform.journal()

    assert await run(platform, journal) is Status.SUCCESS

    new = journal.rows["worker", 0].id
    events = platform.runtime.history
    assert events.index(("stop", old)) < events.index(("start", new))
    assert platform.runtime.processes() == ["web", "web", "worker"]


async def test_a_worker_that_crashes_at_the_switch_brings_everything_back(
    platform: Platform,
) -> None:
    platform.plan = replace(PLAN, processes=(WEB, WORKER))
    first = await platform.live()
    platform.runtime.behave["worker"] = CRASHED
    journal = platform.journal()

    assert await run(platform, journal) is Status.FAILED

    assert platform.serving == ("10.0.0.2:8000",)
    assert set(platform.runtime.running) == {spec.id for spec in first.rows.values()}


async def test_a_single_process_is_never_there_twice_and_comes_back_after_a_failure(
    platform: Platform,
) -> None:
    platform.plan = replace(PLAN, processes=(replace(WEB, single=True, count=3),))
    first = await platform.live()
    platform.probe.answer = Answer(attempts=1, seconds=0, error="refused")
    journal = platform.journal()

    assert await run(platform, journal) is Status.FAILED

    old, new = first.rows["web", 0].id, journal.rows["web", 0].id
    told = [event for event in platform.runtime.history if event[1] in {old, new}]
    assert told == [("start", old), ("stop", old), ("start", new), ("start", old), ("stop", new)]
    assert list(platform.runtime.running) == [old]


async def test_what_a_reboot_ended_meanwhile_serves_again_after_a_failure(
    platform: Platform,
) -> None:
    first = await platform.live()
    platform.probe.answer = Answer(attempts=1, seconds=0, error="refused")
    platform.runtime.running.clear()

    assert await run(platform, platform.journal()) is Status.FAILED

    assert list(platform.runtime.running) == [first.rows["web", 0].id]


async def test_all_web_instances_serve_before_the_switch(platform: Platform) -> None:
    platform.scale = {"web": 3}
    journal = platform.journal()

    assert await run(platform, journal) is Status.SUCCESS

    assert platform.serving == ("10.0.0.2:8000", "10.0.0.3:8000", "10.0.0.4:8000")


async def test_a_stop_leads_nowhere_and_ends_the_instances(platform: Platform) -> None:
    first = await platform.live()
    made = await platform.made(first)
    journal = platform.journal()
    order = platform.order(goal=Goal.STOP, reuse=made)

    assert await deploy(order, platform.tools, journal) is Status.SUCCESS
    assert platform.serving == ()
    await settle(order, platform.tools, journal)

    assert platform.runtime.running == {}


async def test_a_rollback_neither_fetches_nor_builds(platform: Platform) -> None:
    first = await platform.live()
    made = await platform.made(first)
    journal = platform.journal()

    status = await deploy(platform.order(goal=Goal.ROLLBACK, reuse=made), platform.tools, journal)

    assert status is Status.SUCCESS
    assert list(journal.outcomes) == [Step.START, Step.CHECK, Step.SWITCH]
    assert platform.builder.built == 1


async def test_canceling_a_build_ends_it_and_leaves_nothing(platform: Platform) -> None:
    await platform.live()
    platform.builder.hold = asyncio.Event()
    journal = platform.journal()
    task = asyncio.create_task(run(platform, journal))
    await until(lambda: platform.builder.running == 1)

    journal.cancel.set()

    assert await asyncio.wait_for(task, 2) is Status.CANCELED
    assert platform.builder.running == 0
    assert journal.outcomes[Step.BUILD] is Outcome.CANCELED
    assert len(platform.runtime.running) == 1


async def test_canceling_during_the_check_ends_the_new_instances(platform: Platform) -> None:
    platform.plan = replace(PLAN, processes=(replace(WEB, check=None),))
    platform.probe.answer = Answer(attempts=1, seconds=0, error="refused")
    journal = platform.journal()
    task = asyncio.create_task(run(platform, journal))
    await until(lambda: len(platform.runtime.running) == 1)

    journal.cancel.set()

    assert await asyncio.wait_for(task, 2) is Status.CANCELED
    assert platform.runtime.running == {}


class Killed(BaseException):
    """The worker dies: nothing after this runs."""


class Dying(FakeJournal):
    """Dies at the given step, either when it is open or when its work is done."""

    at: Step
    when: str
    deaths = 1

    def step(self, step: Step) -> AbstractAsyncContextManager[FakeRecord]:
        inner = self.real_step(step)
        return _Deadly(self, inner) if step is self.at else inner


class _Deadly(AbstractAsyncContextManager[FakeRecord]):
    def __init__(self, journal: Dying, inner: AbstractAsyncContextManager[FakeRecord]) -> None:
        self._journal, self._inner = journal, inner

    def _die(self, when: str) -> None:
        if self._journal.deaths and self._journal.when == when:
            self._journal.deaths -= 1
            raise Killed

    async def __aenter__(self) -> FakeRecord:
        record = await self._inner.__aenter__()
        self._die("opened")
        return record

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if error is None:
            self._die("done")
        hidden = await self._inner.__aexit__(kind, error, trace)
        if error is None:
            self._die("closed")
        return hidden


STEPS = [Step.FETCH, Step.PLAN, Step.BUILD, Step.RELEASE, Step.START, Step.CHECK, Step.SWITCH]


@pytest.mark.parametrize("when", ["opened", "done", "closed"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_death_at_any_moment_is_made_good_by_the_next_run(
    platform: Platform, step: Step, when: str
) -> None:
    platform.plan = replace(PLAN, processes=(WEB, WORKER), release_command=("migrate",))
    await platform.live()
    old = platform.serving
    journal = Dying(platform.environment)
    journal.at, journal.when = step, when
    order = platform.order()
    with pytest.raises(Killed):
        await deploy(order, platform.tools, journal)
    before = platform.serving

    assert await deploy(order, platform.tools, journal) is Status.SUCCESS
    assert await platform.settle(journal) is Status.SUCCESS

    assert before in {old, platform.serving}
    assert len(platform.router.applied) == 2
    assert platform.runtime.processes() == ["web", "worker"]
    assert set(platform.runtime.running) <= {spec.id for spec in journal.rows.values()}
    assert platform.builder.built == 2


async def test_a_worker_that_stops_leaves_the_deployment_to_be_resumed(platform: Platform) -> None:
    platform.builder.hold = asyncio.Event()
    journal = platform.journal()
    task = asyncio.create_task(run(platform, journal))
    await until(lambda: platform.builder.running == 1)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert journal.status is None
    assert journal.outcomes[Step.BUILD] is None
    assert platform.builder.running == 0


async def test_a_lost_lease_ends_the_run_without_touching_anything(platform: Platform) -> None:
    await platform.live()

    class Lost(FakeJournal):
        async def started(self, instances: object) -> None:
            raise LeaseLost

    journal = Lost(platform.environment)

    with pytest.raises(LeaseLost):
        await run(platform, journal)

    assert journal.status is None
    assert len(platform.runtime.running) == 2


async def test_a_refused_start_is_said_with_its_reason(platform: Platform) -> None:
    platform.runtime.refusal = StartRefused("no memory left", "Free some.")
    journal = platform.journal()

    assert await run(platform, journal) is Status.FAILED

    assert journal.diagnosis is not None
    assert journal.diagnosis.todo == "Free some."


async def test_secrets_are_not_in_the_verdict(platform: Platform) -> None:
    platform.builder.failure = BuildFailed("curl https://hunter2secret@host", 1)
    journal = platform.journal()
    order = replace(platform.order(), secrets=("hunter2secret",))

    await deploy(order, platform.tools, journal)

    assert "hunter2secret" not in journal.message


async def test_what_the_machine_lacks_is_said_in_every_deployments_log(platform: Platform) -> None:
    platform.cautions = ("NOT ISOLATED",)
    first = await platform.live()
    again = platform.journal()

    await deploy(
        platform.order(goal=Goal.RESTART, reuse=await platform.made(first)), platform.tools, again
    )

    assert platform.log.said.count("NOT ISOLATED") == 2
    assert again.warnings == ["NOT ISOLATED"]


async def kept_for_a_rollback(platform: Platform) -> tuple[FakeJournal, FakeJournal, FakeJournal]:
    """A release that serves, the one before it that is still kept, and a rollback to that."""
    first = await platform.live()
    second = platform.journal()
    order = platform.order(id=second.deployment_id)
    assert await deploy(order, platform.tools, second) is Status.SUCCESS
    return first, second, platform.journal()


async def test_a_rollback_to_what_is_still_kept_starts_nothing(platform: Platform) -> None:
    first, second, third = await kept_for_a_rollback(platform)
    made = await platform.made(first)
    started = len(platform.runtime.history)

    status = await deploy(platform.order(goal=Goal.ROLLBACK, reuse=made), platform.tools, third)

    assert status is Status.SUCCESS
    assert platform.serving == ("10.0.0.2:8000",)
    assert len(platform.runtime.history) == started
    assert await platform.settle(second) is Status.SUCCESS
    assert "10.0.0.2" in {spec.place.address for spec in platform.runtime.running.values()}


async def test_what_was_restarted_long_ago_may_still_be_gone_back_to(platform: Platform) -> None:
    first, _, third = await kept_for_a_rollback(platform)
    made = await platform.made(first)
    platform.runtime.behave["web"] = replace(RUNNING, restarts=3)

    status = await deploy(platform.order(goal=Goal.ROLLBACK, reuse=made), platform.tools, third)

    assert status is Status.SUCCESS
    order = platform.order(goal=Goal.ROLLBACK, reuse=made, id=third.deployment_id)
    assert await settle(order, platform.tools, third) is Status.SUCCESS
    assert platform.serving == ("10.0.0.2:8000",)


async def test_a_rollback_to_what_is_being_ended_starts_anew(platform: Platform) -> None:
    first, second, third = await kept_for_a_rollback(platform)
    made = await platform.made(first)
    await second.leaving()

    await deploy(platform.order(goal=Goal.ROLLBACK, reuse=made), platform.tools, third)

    assert platform.serving == ("10.0.0.4:8000",)


async def test_a_rollback_that_fails_gives_back_what_it_took_over(platform: Platform) -> None:
    first, second, third = await kept_for_a_rollback(platform)
    made = await platform.made(first)
    platform.probe.special["10.0.0.2:8000"] = Answer(attempts=1, seconds=0, status=500)

    status = await deploy(platform.order(goal=Goal.ROLLBACK, reuse=made), platform.tools, third)

    assert status is Status.FAILED
    assert platform.serving == ("10.0.0.3:8000",)
    assert [one.address for one in await first.mine()] == ["10.0.0.2:8000"]
    assert len(platform.runtime.running) == 2
    assert await second.current()


async def test_what_new_instances_print_at_their_start_is_in_the_deployments_log(
    platform: Platform,
) -> None:
    platform.printed = ("listening on 8000",)

    await platform.live()

    assert b"web | listening on 8000\n" in platform.log.printed
