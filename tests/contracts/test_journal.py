"""What every Journal promises, the fake included."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from autostack.core.db import Database
from autostack.engine.ports import Journal, Wanted
from autostack.engine.release import Artifact, Instance, Routes, Status, Step
from autostack.engine.tally import NONE
from tests.fakes import FakeEnvironment, FakeJournal
from tests.integration.deployments import house
from tests.integration.deployments.house import PLAN

ARTIFACT = Artifact(id="a", kind="directory", location="/artifacts/a")
WEB = Wanted(process="web", index=0, command=("serve",), env={"A": "1"})
SECOND = Wanted(process="web", index=1, command=("serve",), env={"A": "1"})
TARGET = "10.0.0.2:8000"


@dataclass(frozen=True, slots=True)
class Side:
    """`begin` gives the journal of a further deployment of the same environment, `again` that of
    the same one to the worker that takes it over.
    """

    begin: Callable[[], Awaitable[Journal]]
    again: Callable[[Journal], Awaitable[Journal]]


@pytest.fixture(params=["fake", "postgres"])
async def side(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Side]:
    if request.param == "fake":
        yield fake()
        return
    database = Database(request.getfixturevalue("database_url"))
    yield real(await house.build(database, tmp_path))
    await database.close()


def fake() -> Side:
    environment = FakeEnvironment()

    async def begin() -> Journal:
        return FakeJournal(environment)

    async def again(journal: Journal) -> Journal:
        return journal

    return Side(begin, again)


def real(built: house.House) -> Side:
    owners: dict[int, UUID] = {}

    async def begin() -> Journal:
        one = await built.request()
        lease = await built.claim(one)
        assert lease is not None
        journal = built.journal(one, lease)
        owners[id(journal)] = one
        return journal

    async def again(journal: Journal) -> Journal:
        one = owners[id(journal)]
        await built.die()
        lease = await built.claim(one)
        assert lease is not None
        return built.journal(one, lease)

    return Side(begin, again)


async def serving(side: Side) -> Journal:
    """A deployment that went all the way."""
    journal = await side.begin()
    release = await journal.release(PLAN, ARTIFACT)
    [spec] = await journal.allocate(release, [WEB])
    await journal.started([Instance(id=spec.id, address=TARGET)])
    await point(journal, release, TARGET)
    await journal.ended(Status.SUCCESS)
    return journal


async def point(journal: Journal, release: UUID, target: str) -> tuple[Routes, int]:
    """Domains are pointed within the step that is for it."""
    async with journal.step(Step.SWITCH):
        return await journal.routed(release, (target,), None)


class Failing(Exception):
    pass


async def fail(journal: Journal) -> None:
    async with journal.step(Step.FETCH):
        raise Failing


async def test_a_finished_step_gives_back_what_it_left(side: Side) -> None:
    journal = await side.begin()
    async with journal.step(Step.FETCH) as first:
        first.leave(sha="abc")

    async with (await side.again(journal)).step(Step.FETCH) as second:
        assert (first.kept, second.kept) == (None, {"sha": "abc"})


async def test_a_step_that_failed_is_begun_anew(side: Side) -> None:
    journal = await side.begin()
    with pytest.raises(Failing):
        await fail(journal)

    async with (await side.again(journal)).step(Step.FETCH) as record:
        assert record.kept is None


async def test_instances_asked_for_again_are_the_same(side: Side) -> None:
    journal = await side.begin()
    release = await journal.release(PLAN, ARTIFACT)
    [before] = await journal.allocate(release, [WEB])

    taken_over = await side.again(journal)
    after = await taken_over.allocate(release, [WEB, SECOND])

    assert (after[0].id, after[0].place) == (before.id, before.place)
    assert len({(spec.id, spec.uid, spec.place) for spec in after}) == 2
    assert [spec.env["A"] for spec in after] == ["1", "1"]


async def test_a_release_is_made_once(side: Side) -> None:
    journal = await side.begin()
    first = await journal.release(PLAN, ARTIFACT)

    assert await (await side.again(journal)).release(PLAN, ARTIFACT) == first


async def test_what_stopped_is_nobodys_any_more(side: Side) -> None:
    journal = await side.begin()
    release = await journal.release(PLAN, ARTIFACT)
    web, second = await journal.allocate(release, [WEB, SECOND])

    await journal.stopped([web.id])

    assert [one.id for one in await journal.mine()] == [second.id]


async def test_where_an_instance_was_reached_is_remembered(side: Side) -> None:
    journal = await side.begin()
    release = await journal.release(PLAN, ARTIFACT)
    [web] = await journal.allocate(release, [WEB])

    await journal.started([Instance(id=web.id, address="10.0.0.9:5000")])

    assert [one.address for one in await journal.mine()] == ["10.0.0.9:5000"]


async def test_pointing_the_domains_twice_is_one_switch(side: Side) -> None:
    journal = await side.begin()
    release = await journal.release(PLAN, ARTIFACT)

    first = await point(journal, release, TARGET)
    second = await point(await side.again(journal), release, TARGET)

    assert first == second
    assert first[0].targets == (TARGET,)


async def test_the_generation_only_grows(side: Side) -> None:
    await serving(side)
    second = await side.begin()

    _, switched = await point(second, await second.release(PLAN, ARTIFACT), "10.0.0.3:1")
    restored = await second.restored()

    assert restored is not None
    routes, generation = restored
    assert (routes.targets, generation > switched > 1) == ((TARGET,), True)


async def test_the_way_back_is_found_once_and_by_whoever_takes_over(side: Side) -> None:
    await serving(side)
    second = await side.begin()
    await point(second, await second.release(PLAN, ARTIFACT), "10.0.0.3:1")

    before = await second.before()
    first = await second.restored()
    again = await (await side.again(second)).restored()

    assert before is not None
    assert before.routes.targets == (TARGET,)
    assert first == again


async def test_without_a_switch_there_is_no_way_back(side: Side) -> None:
    await serving(side)
    second = await side.begin()

    assert await second.restored() is None
    assert not await second.current()


async def test_older_instances_are_those_of_earlier_deployments(side: Side) -> None:
    await serving(side)
    second = await side.begin()
    await second.allocate(await second.release(PLAN, ARTIFACT), [WEB])

    older = [one.id for one in await second.older()]

    assert len(older) == 1
    assert older[0] not in {one.id for one in await second.mine()}


async def test_specs_of_what_serves_can_be_had_again(side: Side) -> None:
    await serving(side)
    second = await side.begin()
    before = await second.before()
    assert before is not None

    [spec] = await second.specs(before.instances)

    assert (spec.id, spec.process, spec.command) == (before.instances[0], "web", ("serve",))


async def test_what_a_release_before_is_used_to_is_nothing_where_there_is_none(
    side: Side,
) -> None:
    journal = await side.begin()

    assert await journal.usual() == NONE
    await journal.measured({"requests": 1, "summary": "0 of 1 requests failed."})


async def test_what_is_kept_of_a_release_can_be_adopted_and_given_back(side: Side) -> None:
    await serving(side)
    second = await side.begin()
    kept = await second.before()
    assert kept is not None
    release, [mine] = kept.release_id, kept.instances

    await second.adopt(release, [WEB, SECOND])
    await second.adopt(release, [WEB, SECOND])

    assert [one.id for one in await second.mine()] == [mine]
    assert await second.older() == []
    allocated = await second.allocate(release, [WEB, SECOND])
    assert allocated[0].id == mine
    assert allocated[1].id != mine

    await second.give_back()

    assert [one.id for one in await second.older()] == [mine]
    assert [one.id for one in await second.mine()] == [allocated[1].id]


async def test_what_is_leaving_or_of_another_release_is_not_adopted(side: Side) -> None:
    await serving(side)
    second = await side.begin()
    kept = await second.before()
    assert kept is not None

    await second.adopt(uuid4(), [WEB])
    assert [one.id for one in await second.leaving()] == list(kept.instances)
    await second.adopt(kept.release_id, [WEB])

    assert await second.mine() == []
