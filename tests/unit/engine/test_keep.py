"""Which releases may go: never what runs, is gone back to, or is referred to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from autostack.engine.keep import Shelf, Stored, dispensable, surplus

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def one(number: int, *, served: bool = True, at: int | None = None) -> Stored:
    when = DAY + timedelta(hours=number if at is None else at)
    return Stored(id=UUID(int=number), number=number, served_at=when if served else None)


def shelf(count: int, *, routed: int) -> Shelf:
    stored = tuple(one(number) for number in range(1, count + 1))
    return Shelf(stored=stored, routed=UUID(int=routed))


def numbers(found: tuple[Stored, ...]) -> list[int]:
    return [each.number for each in found]


def test_the_newest_stay_and_the_oldest_go_first() -> None:
    assert numbers(surplus(shelf(6, routed=6), keep=3)) == [1, 2, 3]


def test_an_old_release_that_runs_stays_with_the_one_before_it() -> None:
    assert numbers(surplus(shelf(9, routed=3), keep=3)) == [1, 4, 5, 6]


def test_after_a_rollback_the_one_that_served_last_stays_for_the_way_forward() -> None:
    stored = (one(1), one(2, at=9), one(3), one(4, at=8))

    found = dispensable(Shelf(stored=stored, routed=UUID(int=2)))

    assert numbers(found) == [3]


def test_failed_releases_do_not_push_out_those_that_served() -> None:
    failed = tuple(one(number, served=False) for number in range(3, 10))
    stored = (one(1), one(2), *failed)

    found = surplus(Shelf(stored=stored, routed=UUID(int=2)), keep=2)

    assert numbers(found) == [3, 4, 5, 6]


def test_what_is_referred_to_stays() -> None:
    busy = replace(shelf(6, routed=6), referred=frozenset({UUID(int=1)}))

    assert numbers(surplus(busy, keep=2)) == [2, 3, 4]
    assert numbers(dispensable(busy)) == [2, 3, 4]


def test_fewer_than_two_are_never_kept() -> None:
    assert numbers(surplus(shelf(3, routed=3), keep=0)) == [1]


@st.composite
def shelves(draw: st.DrawFn) -> Shelf:
    count = draw(st.integers(0, 30))
    stored = tuple(
        one(number, served=draw(st.booleans()), at=draw(st.integers(0, 20)))
        for number in draw(st.permutations(range(1, count + 1)))
    )
    ids = [each.id for each in stored]
    some = st.sampled_from(ids) if ids else st.nothing()
    return Shelf(
        stored=stored,
        routed=draw(st.none() | some | st.uuids()),
        referred=frozenset(draw(st.lists(some | st.uuids(), max_size=4))),
    )


@given(shelves(), st.integers(-3, 12))
def test_nothing_that_is_needed_ever_goes(found: Shelf, keep: int) -> None:
    gone = {each.id for each in (*surplus(found, keep=keep), *dispensable(found))}
    served = [each for each in found.stored if each.served_at and each.id != found.routed]

    assert found.routed not in gone
    assert not gone & found.referred
    if served:
        last = max(each.served_at for each in served if each.served_at)
        assert any(each.id not in gone for each in served if each.served_at == last)
    current = next((each for each in found.stored if each.id == found.routed), None)
    earlier = [each for each in served if current and each.number < current.number]
    if earlier:
        assert max(earlier, key=lambda each: each.number).id not in gone


@given(shelves(), st.integers(2, 12))
def test_removing_what_may_go_leaves_nothing_more_to_remove(found: Shelf, keep: int) -> None:
    gone = set(surplus(found, keep=keep))
    left = replace(found, stored=tuple(each for each in found.stored if each not in gone))

    assert surplus(left, keep=keep) == ()
    assert gone <= set(found.stored)
    counted = sum(each.served_at is not None for each in left.stored)
    assert counted <= keep + len(found.referred) + 3


@given(shelves(), st.integers(2, 12))
def test_less_space_never_keeps_more(found: Shelf, keep: int) -> None:
    assert set(surplus(found, keep=keep)) <= set(dispensable(found))
