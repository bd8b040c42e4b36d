from dataclasses import replace
from uuid import uuid4

from autostack.engine.reconcile import Desired, Replace, StartAgain, Stop, decide
from autostack.engine.release import InstanceState, Observation

ROW = Desired(id=uuid4(), environment_id=uuid4())
UP = Observation(id=ROW.id, state=InstanceState.RUNNING)


def test_what_runs_as_it_should_is_left_alone() -> None:
    assert decide([ROW], {ROW.id: UP}) == []


def test_what_is_gone_is_started_again() -> None:
    other = replace(ROW, id=uuid4())

    assert decide([ROW, other], {ROW.id: UP}) == [StartAgain(ids=(other.id,))]


def test_a_busy_environment_is_its_deployments_own_affair() -> None:
    busy = replace(ROW, busy=True, changing=True)

    assert decide([busy], {}, ripe=frozenset({ROW.id})) == []


def test_what_serves_while_a_deployment_builds_or_is_watched_is_started_again() -> None:
    building = replace(ROW, busy=True)
    replaced = replace(building, id=uuid4(), serving=False)

    assert decide([building, replaced], {}) == [StartAgain(ids=(ROW.id,))]


def test_an_orphan_is_replaced_once_for_its_environment() -> None:
    other = replace(ROW, id=uuid4())
    seen = {row.id: replace(UP, id=row.id, orphan=True) for row in (ROW, other)}

    assert decide([ROW, other], seen) == [Replace(environment_id=ROW.environment_id)]


def test_a_crash_loop_is_left_to_recover_and_shown() -> None:
    for state in (InstanceState.BACKOFF, InstanceState.CRASHED):
        assert decide([ROW], {ROW.id: replace(UP, state=state)}) == []


def test_a_stranger_is_ended_only_when_it_is_no_newcomer() -> None:
    stranger = replace(UP, id=uuid4())

    assert decide([], {stranger.id: stranger}) == []
    ripe = frozenset({stranger.id})
    assert decide([], {stranger.id: stranger}, ripe=ripe) == [Stop(id=stranger.id)]


def test_a_leftover_of_a_deployment_that_does_not_serve_is_ended() -> None:
    leftover = replace(ROW, serving=False)

    assert decide([leftover], {ROW.id: UP}, ripe=frozenset({ROW.id})) == [Stop(id=ROW.id)]


def test_what_ran_once_is_never_started_again() -> None:
    once = replace(ROW, wanted=False)

    assert decide([once], {}) == []
