"""Each process of the platform is killed in each step of a deployment, under load."""

import pytest
from _pytest.mark.structures import ParameterSet

from tests.reliability.conftest import ACCOUNT
from tests.reliability.matrix import Bench, Case, carry_out, cases, is_quick


def parameters() -> list[ParameterSet]:
    return [
        pytest.param(case, id=str(case), marks=() if is_quick(case) else pytest.mark.faults)
        for case in cases()
    ]


@pytest.mark.needs("root")
@pytest.mark.parametrize("case", parameters())
def test_a_kill_in_any_step_leaves_nothing_stuck_doubled_or_lost(
    bench: Bench, case: Case, pytestconfig: pytest.Config
) -> None:
    try:
        outcome = carry_out(bench, case)
    except BaseException:
        bench.give_up()
        raise
    pytestconfig.stash[ACCOUNT].outcomes.append(outcome)
