"""The list of attacks is whole, and says of each what holds against it."""

from collections import Counter

import pytest

from tests.security.table import CASES, FAMILIES, Case
from tools import attacks

TESTS = attacks.covering()


def test_no_case_got_lost() -> None:
    ids = [case.id for case in CASES]

    assert len(ids) == len(set(ids))
    assert Counter(case.grave for case in CASES) == {0: 142, 1: 45, 2: 11}
    assert {one[0] for one in ids} == set(FAMILIES)


def test_every_mark_is_of_a_known_case() -> None:
    assert TESTS.keys() - {case.id for case in CASES} == set()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_without_a_test_says_why(case: Case) -> None:
    assert TESTS.get(case.id) or case.absent or case.open, f"{case.id} has no test and no reason"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_case_is_not_both_absent_and_open(case: Case) -> None:
    assert not (case.absent and case.open)


def test_ids_are_read_from_names_and_marks() -> None:
    assert any(test.endswith("g41_a_redirect_is_not_followed") for test in TESTS["G41"])
    assert any(test.endswith("no_forged_token_is_accepted") for test in TESTS["A01"])


def test_figures_add_up() -> None:
    rows = attacks.figures(TESTS).splitlines()[2:]

    assert sum(int(cell) for row in rows for cell in row.split("|")[2:5]) == len(CASES)


def test_nothing_that_stops_a_release_is_open() -> None:
    left = [one.id for one in CASES if one.grave == 0 and attacks.state(one, TESTS) == "open"]

    assert left == []
