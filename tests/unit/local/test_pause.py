"""How long a part that died waits for its next start."""

from autostack.entrypoints.local.children import LONGEST_PAUSE, pause


def test_the_first_restart_is_at_once() -> None:
    assert pause(1) == 0


def test_each_further_one_waits_longer_up_to_a_limit() -> None:
    waits = [pause(deaths) for deaths in range(2, 40)]

    assert waits == sorted(waits)
    assert waits[0] >= 0.5
    assert waits[-1] == LONGEST_PAUSE
