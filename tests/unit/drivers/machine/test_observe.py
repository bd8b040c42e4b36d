"""What the supervisor says and what lives, as one state; and what of it is news."""

from dataclasses import replace
from uuid import uuid4

import pytest

from autostack.drivers.machine.supervisor import Program, ProgramState
from autostack.drivers.runtimes.process import MARGIN, news, observe
from autostack.engine.release import Exit, InstanceState, Observation

ONE = uuid4()
PROGRAM = Program(
    group=str(ONE), name=str(ONE), state=ProgramState.RUNNING, pid=7, restarts=0, code=None,
    oom=False, stopping=False,
)  # fmt: skip
SEEN = Observation(id=ONE, state=InstanceState.RUNNING, memory=50 << 20)


@pytest.mark.parametrize(
    ("told", "alive", "state"),
    [
        (ProgramState.STARTING, False, InstanceState.STARTING),
        (ProgramState.STARTING, True, InstanceState.RUNNING),
        (ProgramState.RUNNING, True, InstanceState.RUNNING),
        (ProgramState.BACKOFF, False, InstanceState.BACKOFF),
        (ProgramState.EXITED, False, InstanceState.BACKOFF),
        (ProgramState.FATAL, False, InstanceState.CRASHED),
        (ProgramState.STOPPING, True, InstanceState.RUNNING),
        (ProgramState.STOPPED, False, InstanceState.STOPPED),
    ],
)
def test_the_supervisors_word_becomes_a_state(
    told: ProgramState, alive: object, state: InstanceState
) -> None:
    assert observe(ONE, replace(PROGRAM, state=told), alive=bool(alive)).state is state


def test_what_lives_without_a_supervisor_is_an_orphan() -> None:
    assert observe(ONE, None, alive=True).orphan
    assert observe(ONE, None, alive=False) == Observation(id=ONE, state=InstanceState.MISSING)


def test_how_it_ended_last_is_told() -> None:
    ended = observe(ONE, replace(PROGRAM, code=137, oom=True), alive=True)

    assert ended.exit == Exit(code=137, signal=9, oom=True)
    assert observe(ONE, replace(PROGRAM, code=3), alive=True).exit == Exit(code=3)


def test_a_first_round_tells_everything_and_a_second_nothing() -> None:
    assert list(news({}, {ONE: SEEN})) == [SEEN]
    assert list(news({ONE: SEEN}, {ONE: SEEN})) == []


def test_memory_is_news_only_when_it_has_changed_much() -> None:
    little, much = (replace(SEEN, memory=SEEN.memory + by) for by in (MARGIN - 1, MARGIN))

    assert list(news({ONE: SEEN}, {ONE: little})) == []
    assert list(news({ONE: SEEN}, {ONE: much})) == [much]


def test_what_is_gone_is_told_once() -> None:
    gone = Observation(id=ONE, state=InstanceState.MISSING)

    assert list(news({ONE: SEEN}, {})) == [gone]
    assert list(news({ONE: gone}, {})) == []
