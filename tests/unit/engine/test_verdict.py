"""The rule of the watch: which release is worse, and which only looks so."""

import random
from dataclasses import replace

import pytest

from autostack.engine import verdict
from autostack.engine.tally import BOUNDS, NONE, Tally
from autostack.engine.verdict import Traffic


def answers(requests: int, errors: int = 0) -> Tally:
    return Tally(codes=(0, requests - errors, 0, 0, errors))


def slow(requests: int, slow: int, *, bound: float = 2.0) -> Tally:
    """Answered within 5 ms, but for `slow` that took up to `bound` seconds."""
    latency = [0] * (len(BOUNDS) + 1)
    latency[0], latency[BOUNDS.index(bound)] = requests - slow, slow
    return Tally(codes=(0, requests, 0, 0, 0), latency=tuple(latency))


def errors(before: Tally, since: Tally, lately: Tally | None = None) -> str:
    recent = since if lately is None else lately
    return verdict.too_many_errors(Traffic(before=before, since=since, lately=recent, warm=NONE))


def slowness(before: Tally, warm: Tally) -> str:
    return verdict.too_slow(Traffic(before=before, since=warm, lately=warm, warm=warm))


def test_errors_to_a_third_of_requests_are_worse_and_said_with_their_figures() -> None:
    said = errors(answers(600), answers(30, 10))

    assert said == (
        "answers 33% of requests with an error (10 of 30); before it was 0.0% (0 of 600)"
    )


@pytest.mark.parametrize(
    ("before", "since"),
    [
        (answers(600, 12), answers(600, 14)),  # 2 % before, 2.3 % now
        (answers(600), answers(19, 19)),  # too little evidence
        (answers(600), answers(1000, 4)),  # too few errors
        (answers(1000, 300), answers(1000, 380)),  # bad before, hardly worse
        (answers(30), answers(30, 5)),  # may be chance
        (NONE, answers(60, 8)),  # nothing known of before: 5 % is assumed
    ],
)
def test_what_may_be_chance_or_hardly_differs_is_not_worse(before: Tally, since: Tally) -> None:
    assert errors(before, since) == ""


def test_without_knowledge_of_before_many_errors_are_worse() -> None:
    assert "nothing is known" in errors(NONE, answers(90, 30))


def test_a_release_that_has_recovered_is_not_taken_back() -> None:
    assert errors(answers(600), answers(200, 30), lately=answers(50, 0)) == ""
    assert errors(answers(600), answers(200, 30), lately=answers(50, 20))


def test_fishers_exact_test_gives_the_tabled_value() -> None:
    """The tea of Fisher's lady: 3 of 4 right by chance has p = 17/70."""
    chance = verdict.by_chance(1, 4, 3, 4)

    assert chance == pytest.approx(17 / 70)


def test_a_quarter_that_is_slow_is_worse() -> None:
    said = slowness(slow(600, 6), slow(200, 100))

    assert said.startswith("is slow: 50% of 200 requests took more than 300 ms")


@pytest.mark.parametrize(
    ("before", "warm"),
    [
        (slow(600, 6), slow(200, 20)),  # a tenth only
        (slow(600, 6), slow(40, 40)),  # too little evidence
        (slow(600, 300), slow(200, 110)),  # was as slow before
        (NONE, slow(200, 200)),  # nothing to compare with
        (slow(600, 6), slow(200, 100, bound=0.1)),  # slower, but nobody notices
    ],
)
def test_slowness_that_is_rare_usual_or_small_is_not_worse(before: Tally, warm: Tally) -> None:
    assert slowness(before, warm) == ""


@pytest.mark.parametrize("share", [0.0, 0.02, 0.2])
def test_good_releases_are_hardly_ever_taken_back(share: float) -> None:
    """200 watches with 30 looks each, the same share of errors before and after."""
    dice = random.Random(7)  # noqa: S311 - a repeatable trial
    worse = sum(_taken_back(dice, share, share) for _ in range(200))

    assert worse <= 2


@pytest.mark.parametrize(("was", "now"), [(0.0, 0.33), (0.02, 0.33), (0.0, 0.1)])
def test_bad_releases_are_taken_back_within_the_watch(was: float, now: float) -> None:
    dice = random.Random(7)  # noqa: S311

    assert all(_taken_back(dice, was, now) for _ in range(50))


def _taken_back(dice: random.Random, was: float, now: float) -> bool:
    """20 requests a second for a minute, looked at every two seconds."""
    before = answers(600, sum(dice.random() < was for _ in range(600)))
    seen = Traffic(before=before, since=NONE, lately=NONE, warm=NONE)
    for _ in range(30):
        lately = answers(40, sum(dice.random() < now for _ in range(40)))
        seen = replace(seen, since=seen.since + lately, lately=lately)
        if verdict.too_many_errors(seen):
            return True
    return False
