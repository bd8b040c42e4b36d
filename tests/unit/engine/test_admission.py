"""Which build is next, and what the others are told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autostack.engine.admission import (
    GIB,
    PLENTY,
    Building,
    GiveUp,
    Memory,
    Need,
    Reason,
    Rules,
    Start,
    Verdict,
    Wait,
    Waiting,
    decide,
    in_order,
)

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SHOP, BLOG, WIKI = UUID(int=101), UUID(int=102), UUID(int=103)
RULES = Rules(slots=2)
SMALL = Memory(total=4 * GIB, available=2 * GIB, reserve=GIB // 2)


def build(number: int, project: UUID = SHOP, *, ago: float = 0, production: bool = True) -> Waiting:
    since = NOW - timedelta(seconds=ago or 60 - number)
    return Waiting(id=UUID(int=number), project_id=project, production=production, since=since)


def hungry(number: int, gigabytes: float, project: UUID = SHOP) -> Waiting:
    need = Need(bytes=int(gigabytes * GIB), measured=True)
    return replace(build(number, project), need=need)


def verdicts(
    waiting: Sequence[Waiting],
    building: Sequence[Building] = (),
    memory: Memory = PLENTY,
    rules: Rules = RULES,
) -> list[Verdict]:
    return decide(waiting, building, served={}, memory=memory, rules=rules, now=NOW)


def started(found: Sequence[Verdict]) -> list[int]:
    return [one.id.int for one in found if isinstance(one, Start)]


def line(waiting: Sequence[Waiting], building: Sequence[Building] = ()) -> list[int]:
    found = in_order(waiting, building, served={}, rules=RULES, now=NOW)
    return [one.id.int for one in found]


def test_as_many_start_as_there_are_slots() -> None:
    found = verdicts([build(1), build(2, BLOG), build(3, WIKI)])

    assert started(found) == [1, 2]
    assert found[2] == Wait(
        id=UUID(int=3),
        position=1,
        running=2,
        reason=Reason.SLOTS,
        words="2 builds run, 0 ahead of this one",
    )


def test_production_goes_before_previews_that_came_earlier() -> None:
    preview = build(1, production=False)

    assert line([preview, build(2, BLOG)]) == [2, 1]


def test_a_preview_that_has_waited_long_counts_as_much_as_production() -> None:
    old = build(1, production=False, ago=601)

    assert line([build(2, BLOG), old]) == [1, 2]


def test_twenty_builds_of_one_project_do_not_hold_up_another_ones() -> None:
    flood = [build(number, production=False) for number in range(1, 21)]
    other = build(30, BLOG, production=False)

    assert line([*flood, other])[:3] == [1, 30, 2]
    assert line([*flood, other], [Building(project_id=SHOP)])[:2] == [30, 1]


def test_builds_of_one_project_run_one_after_the_other() -> None:
    first, second = verdicts([build(1), build(2)])

    assert isinstance(first, Start)
    assert isinstance(second, Wait)
    assert second.words == "a build of this project runs, 0 ahead of this one"


@pytest.mark.attack("Q06")
def test_projects_take_turns_and_each_keeps_its_own_order() -> None:
    waiting = [build(n, project) for n, project in ((1, SHOP), (2, SHOP), (3, BLOG), (4, BLOG))]

    assert line(waiting) == [1, 3, 2, 4]


def test_the_project_served_last_is_behind() -> None:
    served = {SHOP: NOW - timedelta(minutes=1), BLOG: NOW - timedelta(minutes=2)}

    found = in_order([build(1), build(2, BLOG)], [], served=served, rules=RULES, now=NOW)

    assert [one.id.int for one in found] == [2, 1]


@given(st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=30), st.integers(1, 4))
def test_nobody_is_forgotten_and_the_slots_are_used(
    drawn: list[tuple[int, bool]], slots: int
) -> None:
    waiting = [
        build(number, UUID(int=1000 + project), production=production)
        for number, (project, production) in enumerate(drawn, start=1)
    ]

    found = verdicts(waiting, rules=Rules(slots=slots))

    assert sorted(one.id.int for one in found) == [one.id.int for one in waiting]
    assert len(started(found)) == min(slots, len({one.project_id for one in waiting}))
    positions = [one.position for one in found if isinstance(one, Wait)]
    assert positions == list(range(1, len(positions) + 1))


def test_a_build_that_does_not_fit_waits_and_says_why() -> None:
    [found] = verdicts([hungry(1, 1.9)], memory=SMALL)

    assert isinstance(found, Wait)
    assert found.reason is Reason.MEMORY
    assert found.words == "needs ~1.9 GB by its last build, 1.5 GB free"


def test_what_running_builds_have_yet_to_take_is_not_free() -> None:
    running = Building(project_id=BLOG, need=Need(bytes=GIB, measured=True))

    [young] = verdicts([hungry(1, 1.0)], [running], replace(SMALL, builds=0))
    [grown] = verdicts([hungry(1, 1.0)], [running], replace(SMALL, builds=GIB))

    assert isinstance(young, Wait)
    assert isinstance(grown, Start)


def test_smaller_builds_pass_one_whose_memory_apps_hold() -> None:
    found = verdicts([hungry(1, 1.9), hungry(2, 0.5, BLOG)], memory=SMALL)

    assert started(found) == [2]


def test_nobody_passes_a_build_that_the_end_of_a_running_one_lets_in() -> None:
    running = Building(project_id=WIKI, need=Need(bytes=GIB, measured=True))
    memory = Memory(total=4 * GIB, available=GIB, builds=GIB)

    found = verdicts([hungry(1, 1.5), hungry(2, 0.1, BLOG)], [running], memory)

    assert started(found) == []


def test_a_first_build_is_not_kept_by_a_guess_when_nothing_else_builds() -> None:
    nothing_free = Memory(total=GIB, available=0, reserve=GIB // 4)

    alone = verdicts([build(1)], memory=nothing_free)
    beside = verdicts([build(1)], [Building(project_id=BLOG)], nothing_free)

    assert started(alone) == [1]
    assert started(beside) == []


def test_a_build_larger_than_the_machine_runs_alone_with_a_warning() -> None:
    running = Building(project_id=BLOG)

    [waits] = verdicts([hungry(1, 6)], [running], SMALL)
    [starts] = verdicts([hungry(1, 6)], memory=SMALL)

    assert isinstance(waits, Wait)
    assert waits.words.endswith("it runs when nothing else builds")
    assert isinstance(starts, Start)
    assert starts.warning.startswith("The last build needed 6.0 GB of memory, more than")


def test_a_build_larger_than_the_machine_is_not_passed_for_ever() -> None:
    found = verdicts([hungry(1, 6), hungry(2, 0.1, WIKI)], [Building(project_id=BLOG)], SMALL)

    assert started(found) == []


def test_nothing_starts_beside_a_build_larger_than_the_machine() -> None:
    giant = Building(project_id=BLOG, need=Need(bytes=6 * GIB, measured=True))

    assert started(verdicts([build(1)], [giant], SMALL)) == []


def test_a_build_that_has_wanted_memory_for_too_long_is_given_up() -> None:
    waited = replace(hungry(1, 1.9), hungry=NOW - timedelta(minutes=31))

    [found] = verdicts([waited], memory=SMALL)

    assert isinstance(found, GiveUp)
    assert found.words == (
        "The build needs ~1.9 GB by its last build; 1.5 GB are free for it, and did not become "
        "more within 30 minutes."
    )


def test_a_build_that_running_ones_keep_from_its_memory_is_not_given_up() -> None:
    waited = replace(hungry(1, 1.4), hungry=NOW - timedelta(hours=2))
    running = Building(project_id=BLOG, need=Need(bytes=GIB, measured=True))

    [found] = verdicts([waited], [running], SMALL)

    assert isinstance(found, Wait)
