from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import count
from uuid import UUID, uuid4

from autostack.engine.pipeline import deploy
from autostack.engine.release import (
    MIB,
    Exit,
    GoingBack,
    InstanceState,
    Observation,
    Status,
    WatchRule,
)
from autostack.engine.tally import NONE, Tally
from tests.fakes import FakeJournal
from tests.unit.engine.platform import FAST, PLAN, WEB, WORKER, Platform

CRASHING = Observation(id=uuid4(), state=InstanceState.BACKOFF, exit=Exit(code=1))


async def deployed(platform: Platform) -> FakeJournal:
    journal = platform.journal()
    order = platform.order(id=journal.deployment_id)
    assert await deploy(order, platform.tools, journal) is Status.SUCCESS
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


async def test_a_watch_that_is_over_before_it_could_look_looks_once(platform: Platform) -> None:
    await platform.live()
    platform.watch = WatchRule(seconds=1e-9)
    second = await deployed(platform)
    platform.runtime.behave["web"] = CRASHING

    assert await platform.settle(second) is Status.FAILED


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


def answers(requests: int, errors: int = 0) -> Tally:
    return Tally(codes=(0, requests - errors, 0, 0, errors))


async def failing(platform: Platform, *, going_back: GoingBack = GoingBack.CAREFUL) -> FakeJournal:
    """A second release that answers a third of its requests with an error, settled."""
    await platform.live()
    second = await deployed(platform)
    platform.environment.usual = answers(600)
    platform.watch = WatchRule(going_back=going_back)
    served = platform.router.tallies
    counted: dict[UUID, Tally] = {}

    async def growing(*, fresh: bool = False) -> Mapping[UUID, Tally]:
        mine = counted.get(second.release_id, NONE)
        counted[second.release_id] = mine + answers(30, 10)
        return {**await served(fresh=fresh), **counted}

    platform.router.tallies = growing  # type: ignore[method-assign]
    await platform.settle(second)
    return second


async def test_a_release_that_answers_with_errors_is_undone_with_the_evidence(
    platform: Platform,
) -> None:
    second = await failing(platform)

    assert second.status is Status.FAILED
    assert "33% of requests with an error" in second.message
    assert "before it was 0.0% (0 of 600)" in second.message
    assert (second.watch["state"], second.watch["basis"]) == ("worse", "traffic")
    assert platform.serving == ("10.0.0.2:8000",)


async def test_a_release_that_eats_up_its_memory_is_undone_with_the_evidence(
    platform: Platform,
) -> None:
    await platform.live()
    second = await deployed(platform)
    platform.watch = WatchRule(seconds=0.5)
    eats(platform, {one.id for one in await second.mine()})

    await platform.settle(second)

    assert second.status is Status.FAILED
    assert "reaches its limit of 512 MB" in second.message
    assert second.watch["memory"]["web"]["before"] == 60 * MIB
    assert second.watch["memory"]["web"]["now"] > 200 * MIB
    assert platform.serving == ("10.0.0.2:8000",)


def eats(platform: Platform, hungry: Collection[UUID]) -> None:
    """These grow with each look; all others hold 60 MB."""
    inspect, looks = platform.runtime.inspect, count()

    async def growing(instance_id: UUID) -> Observation:
        more = 8 * next(looks) if instance_id in hungry else 0
        return replace(await inspect(instance_id), held=(60 + more) * MIB)

    platform.runtime.inspect = growing  # type: ignore[method-assign]


async def test_after_a_release_command_it_is_told_and_not_undone(platform: Platform) -> None:
    platform.plan = replace(PLAN, release_command=("migrate",))

    second = await failing(platform)

    assert second.status is Status.SUCCESS
    assert "a release command ran" in second.warnings[0]
    assert platform.serving == (second.seats[(await second.mine())[0].id],)


async def test_after_a_release_command_it_is_undone_where_the_owner_says_so(
    platform: Platform,
) -> None:
    platform.plan = replace(PLAN, release_command=("migrate",))

    second = await failing(platform, going_back=GoingBack.ALWAYS)

    assert second.status is Status.FAILED
    assert platform.serving == platform.router.applied[0][1].targets


async def test_going_back_can_be_switched_off(platform: Platform) -> None:
    second = await failing(platform, going_back=GoingBack.NEVER)

    assert second.status is Status.SUCCESS
    assert "switched off" in second.warnings[0]


async def test_a_watch_of_no_length_is_none(platform: Platform) -> None:
    await platform.live()
    second = await deployed(platform)
    platform.watch = WatchRule(seconds=0)
    platform.runtime.behave["web"] = CRASHING

    assert await platform.settle(second) is Status.SUCCESS

    assert second.watch == {}
    assert second.is_settled


async def test_what_the_switch_cost_is_recorded(platform: Platform) -> None:
    await platform.live()
    second = await deployed(platform)

    await platform.settle(second)

    assert second.evidence["requests"] == 0
    assert second.evidence["visits_failed"] == 0
    assert "probes failed" in second.evidence["summary"]
    assert second.evidence["summary"] in platform.log.said


async def test_a_first_deployment_interrupts_nothing(platform: Platform) -> None:
    first = await platform.live()

    assert first.evidence == {}
    assert platform.router.visits == []
