from dataclasses import replace
from uuid import uuid4

from autostack.engine.pipeline import deploy
from autostack.engine.release import Exit, InstanceState, Observation, Status
from tests.fakes import FakeJournal
from tests.unit.engine.platform import FAST, PLAN, WEB, WORKER, Platform

CRASHING = Observation(id=uuid4(), state=InstanceState.BACKOFF, exit=Exit(code=1))


async def deployed(platform: Platform) -> FakeJournal:
    journal = platform.journal()
    assert await deploy(platform.order(), platform.tools, journal) is Status.SUCCESS
    return journal


async def test_a_release_that_crashes_after_the_switch_is_undone_by_itself(
    platform: Platform,
) -> None:
    platform.plan = replace(PLAN, processes=(WEB, WORKER))
    first = await platform.live()
    second = await deployed(platform)
    platform.runtime.behave["web"] = CRASHING

    assert await platform.settle(second) is Status.FAILED

    assert platform.serving == ("10.0.0.2:8000",)
    assert set(platform.runtime.running) == {spec.id for spec in first.rows.values()}
    assert second.watch["state"] == "worse"
    assert second.diagnosis is not None
    assert second.diagnosis.code == "crash_at_start"
    assert second.is_settled


async def test_the_verdict_of_the_watch_outlives_a_crash(platform: Platform) -> None:
    await platform.live()
    second = await deployed(platform)
    platform.runtime.behave["web"] = CRASHING
    await platform.settle(second)

    assert await platform.settle(second) is Status.FAILED

    assert platform.serving == ("10.0.0.2:8000",)
    assert len(platform.router.applied) == 3


async def test_a_newer_switch_ends_the_watch_and_is_not_undone(platform: Platform) -> None:
    await platform.live()
    second = await deployed(platform)
    await deployed(platform)
    platform.runtime.behave["web"] = CRASHING

    assert await platform.settle(second) is Status.SUCCESS

    assert platform.serving == ("10.0.0.4:8000",)
    assert second.watch["state"] == "replaced"


async def test_a_first_release_that_crashes_later_stays_there_is_nothing_to_go_back_to(
    platform: Platform,
) -> None:
    first = await deployed(platform)
    platform.runtime.behave["web"] = CRASHING

    assert await platform.settle(first) is Status.SUCCESS

    assert platform.serving == ("10.0.0.2:8000",)
    assert "no earlier release" in first.warnings[0]


async def test_one_that_made_room_for_a_newer_deployment_is_not_in_trouble(
    platform: Platform,
) -> None:
    platform.plan = replace(PLAN, processes=(replace(WEB, single=True),))
    await platform.live()
    second = await deployed(platform)
    [web] = await second.mine()
    await platform.runtime.stop(web.id, grace=FAST.stop)

    assert await platform.settle(second) is Status.SUCCESS

    assert platform.runtime.processes() == []
    assert second.watch["state"] == "passed"


async def test_a_release_of_workers_alone_is_undone_too(platform: Platform) -> None:
    platform.plan = replace(PLAN, processes=(WORKER,))
    first = await platform.live()
    second = await deployed(platform)
    platform.runtime.behave["worker"] = CRASHING

    assert await platform.settle(second) is Status.FAILED

    assert set(platform.runtime.running) == {spec.id for spec in first.rows.values()}
    assert second.watch["state"] == "worse"
