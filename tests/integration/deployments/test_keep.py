"""Old releases go, and never one that is needed, whatever happens at the same moment."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from autostack.core.clock import utc_now
from autostack.core.space import GB, MB
from autostack.engine.errors import BuildFailed
from autostack.engine.release import Status
from autostack.features.deployments import service
from autostack.features.deployments.errors import ReleaseRemoved
from autostack.features.disk import service as disk_service
from autostack.features.disk.guarded import GuardedBuilder, GuardedSource
from autostack.features.disk.measuring import Measuring
from autostack.models.deployment import Deployment, Kind
from autostack.models.environment import Environment
from autostack.models.event import Event
from autostack.models.project import Project
from autostack.models.release import Release
from tests.integration.deployments.disk import FLOOR, FakeDisk, guardian, machine_of
from tests.integration.deployments.house import House


@pytest.fixture
def disk(house: House) -> FakeDisk:
    made = FakeDisk()
    house.builder = made
    return made


async def releases(house: House) -> Sequence[Release]:
    async with house.db.transaction() as session:
        return (await session.scalars(select(Release).order_by(Release.number))).all()


async def kept(house: House) -> list[int]:
    return [one.number for one in await releases(house) if one.removed_at is None]


async def deploy(house: House, times: int) -> list[UUID]:
    return [await house.live() for _ in range(times)]


async def roll_back(house: House, number: int) -> Deployment:
    wanted = next(one for one in await releases(house) if one.number == number)
    async with house.db.transaction() as session:
        project = await session.get_one(Project, house.project.id)
        environment = await session.get_one(Environment, house.environment.id)
        return await service.roll_back(
            session, project, environment, release_id=wanted.id, by=None, now=utc_now()
        )


async def test_old_releases_go_with_their_builds_and_rows_say_so(
    house: House, disk: FakeDisk
) -> None:
    made = await deploy(house, 6)

    await guardian(house, disk).round()

    assert await kept(house) == [4, 5, 6]
    assert list(disk.artifacts) == made[3:]
    async with house.db.transaction() as session:
        told = await session.scalar(select(Event.data).where(Event.kind == "release.removed"))
    assert told == {"numbers": [1, 2, 3]}


async def test_a_release_that_had_to_stay_goes_once_all_has_settled(
    house: House, disk: FakeDisk
) -> None:
    await deploy(house, 4)
    watching = guardian(house, disk)
    asked = await roll_back(house, 1)
    await watching.round()
    meanwhile = await kept(house)
    async with house.db.transaction() as session:
        await service.cancel(session, await session.merge(asked), now=utc_now())

    await watching.round()

    assert meanwhile == [1, 2, 3, 4]
    assert await kept(house) == [2, 3, 4]


async def test_a_rollback_to_a_removed_release_is_refused_and_names_the_kept_ones(
    house: House, disk: FakeDisk
) -> None:
    await deploy(house, 4)
    await guardian(house, disk, keep=2).round()

    with pytest.raises(ReleaseRemoved, match="Release 1 was removed") as refused:
        await roll_back(house, 1)

    assert refused.value.hint.startswith("Kept are: 4, 3.")


async def test_a_release_that_a_waiting_rollback_wants_stays(house: House, disk: FakeDisk) -> None:
    await deploy(house, 5)
    asked = await roll_back(house, 1)

    await guardian(house, disk, keep=2).round()

    assert await kept(house) == [1, 4, 5]
    assert await house.run(asked.id) is Status.SUCCESS


async def test_what_an_unsettled_deployment_would_go_back_to_stays(
    house: House, disk: FakeDisk
) -> None:
    await deploy(house, 4)
    await house.run((await roll_back(house, 1)).id)
    newest = await house.request()
    await house.run(newest)

    await guardian(house, disk, keep=2).round()

    assert await kept(house) == [1, 4, 5]
    assert await house.settle(newest) is Status.SUCCESS


@pytest.mark.usefixtures("disk")
async def test_a_rollback_asked_for_in_the_middle_of_a_removal_is_refused(house: House) -> None:
    await deploy(house, 5)
    async with house.db.transaction() as session:
        doomed = await disk_service.give_up(session, house.environment.id, keep=2, now=utc_now())
        asking = asyncio.create_task(roll_back(house, 1))
        await asyncio.sleep(0.2)
        assert not asking.done()

    assert len(doomed) == 3
    with pytest.raises(ReleaseRemoved):
        await asking


async def test_a_removal_waits_for_a_rollback_that_is_being_asked_for(
    house: House, disk: FakeDisk
) -> None:
    await deploy(house, 5)
    first = (await releases(house))[0]
    async with house.db.transaction() as session:
        project = await session.get_one(Project, house.project.id)
        environment = await session.get_one(Environment, house.environment.id)
        await service.roll_back(
            session, project, environment, release_id=first.id, by=None, now=utc_now()
        )
        removing = asyncio.create_task(guardian(house, disk, keep=2).round())
        await asyncio.sleep(0.2)
        assert not removing.done()

    await removing
    assert await kept(house) == [1, 4, 5]


async def test_rollbacks_and_removals_at_once_never_meet(house: House, disk: FakeDisk) -> None:
    await deploy(house, 8)

    async def ask(number: int) -> int:
        try:
            await roll_back(house, number)
        except ReleaseRemoved:
            return 0
        return number

    removing = [asyncio.create_task(guardian(house, disk, keep=2).round()) for _ in range(3)]
    wanted = await asyncio.gather(*(ask(number) for number in range(1, 6)))
    await asyncio.gather(*removing)

    async with house.db.transaction() as session:
        waiting = await session.scalar(
            select(Release)
            .join(Deployment, Deployment.release_id == Release.id)
            .where(Deployment.status == Status.PENDING)
        )
    assert (waiting is not None) == any(wanted)
    if waiting is not None:
        assert waiting.removed_at is None
        assert waiting.artifact["id"] in map(str, disk.artifacts)


async def test_a_build_whose_removal_was_cut_off_is_removed_later(
    house: House, disk: FakeDisk
) -> None:
    made = await deploy(house, 4)
    disk.broken = True
    watching = guardian(house, disk, keep=2)
    await watching.keep(house.environment.id)
    assert list(disk.artifacts) == made
    disk.broken = False

    await watching.tidy()

    assert await kept(house) == [3, 4]
    assert list(disk.artifacts) == made[2:]


async def test_the_build_of_a_deployment_that_failed_before_its_release_is_removed(
    house: House, disk: FakeDisk
) -> None:
    served = await house.live()
    failed = await house.request()
    disk.failure = BuildFailed("Install", 1)
    await house.run(failed)
    disk.artifacts[failed] = replace(disk.artifacts[served], id=str(failed))

    await guardian(house, disk).tidy()

    assert list(disk.artifacts) == [served]


async def test_a_build_this_database_does_not_know_is_left_alone(
    house: House, disk: FakeDisk
) -> None:
    served = await house.live()
    other = UUID(int=1)
    disk.artifacts[other] = replace(disk.artifacts[served], id=str(other))

    await guardian(house, disk).tidy()

    assert list(disk.artifacts) == [served, other]


async def test_space_is_made_by_caches_first_then_by_the_oldest_releases(
    house: House, disk: FakeDisk
) -> None:
    await deploy(house, 6)
    disk.free = FLOOR - GB
    disk.cached = {house.project.id: GB // 2}

    await guardian(house, disk, keep=10).watch()

    assert disk.cleared == [house.project.id]
    assert await kept(house) == [3, 4, 5, 6]


async def test_what_runs_and_the_one_before_stay_even_on_a_full_disk(
    house: House, disk: FakeDisk
) -> None:
    await deploy(house, 4)
    disk.free = -100 * GB

    await guardian(house, disk).watch()

    assert await kept(house) == [3, 4]


async def test_below_the_floor_a_deployment_fails_at_once_in_words_and_a_rollback_works(
    house: House, disk: FakeDisk
) -> None:
    await deploy(house, 2)
    disk.free = FLOOR - MB
    watching = guardian(house, disk)
    house.source = GuardedSource(source=house.source, guardian=watching)  # type: ignore[assignment]
    house.builder = GuardedBuilder(builder=disk, guardian=watching)  # type: ignore[assignment]

    refused = await house.request()
    assert await house.run(refused) is Status.FAILED
    row = await house.row(refused)
    back = await roll_back(house, 1)

    assert row.error_message is not None
    assert "nothing new is built below 5.0 GB" in row.error_message
    assert row.diagnosis is not None
    assert row.diagnosis["code"] == "disk"
    assert "AUTOSTACK_DISK_FLOOR_MB" in row.diagnosis["todo"]
    assert [step.name.value for step in await house.steps(refused)] == ["fetch"]
    assert await house.run(back.id) is Status.SUCCESS
    assert await house.settle(back.id) is Status.SUCCESS
    again = await house.request(Kind.RESTART)
    assert await house.run(again) is Status.SUCCESS


async def test_a_deployment_goes_on_when_cleaning_up_made_room(
    house: House, disk: FakeDisk
) -> None:
    await deploy(house, 4)
    disk.free = FLOOR - GB
    watching = guardian(house, disk)
    house.builder = GuardedBuilder(builder=disk, guardian=watching)  # type: ignore[assignment]

    await house.live()

    assert await kept(house) == [3, 4, 5]
    assert any("cleaning up first" in line for line in house.log.said)


async def test_the_reserve_is_given_up_for_the_database_and_held_again(
    house: House, disk: FakeDisk
) -> None:
    watching = guardian(house, disk)
    held: list[bool] = []

    for free in (50 * GB, 10 * MB, 50 * GB):
        disk.free = free
        await watching.watch()
        held.append(disk.reserve.held)

    assert held == [True, False, True]


async def test_what_is_on_disk_is_measured_and_written_down_by_project(
    house: House, disk: FakeDisk
) -> None:
    deployment = await house.live()
    home = house.site.home
    (home.artifacts / str(deployment)).mkdir(parents=True)
    (home.caches / str(house.project.id)).mkdir(parents=True)
    (home.artifacts / str(uuid4())).mkdir()

    await Measuring(house.db, home, machine_of(disk), clock=utc_now).once()
    await Measuring(house.db, home, machine_of(disk), clock=utc_now).once()

    async with house.db.transaction() as session:
        shown = await disk_service.of_project(session, house.project)
    assert (shown.releases, shown.caches, shown.total) == (1000, 1000, 2000)
