"""The worker is killed in everything else a deployment may be, in removals, and again and again."""

import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager
from random import Random

import pytest

from autostack.engine.release import Step
from tests import load
from tests.platform import request, until
from tests.reliability.matrix import (
    DEADLINE,
    SEED,
    Bench,
    Subject,
    mixed_load,
    until_settled,
    until_whole,
)
from tests.reliability.world import PARTS, pid

pytestmark = [pytest.mark.faults, pytest.mark.needs("root")]

STEADY = ("restart", "rollback", "scale")
"""What serves goes on serving."""
STEPS = (Step.START, Step.CHECK, Step.SWITCH, Step.DRAIN, Step.WATCH, Step.RETIRE)
"""A release that is there is used again: all steps before are skipped."""
FIRST, SECOND = b"1\n", b"2\n"
KILLS = 20


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("operation", STEADY)
def test_an_operation_is_completed_although_its_worker_is_killed(
    bench: Bench, operation: str, step: Step
) -> None:
    subject = bench.subject()
    before = subject.serving
    other = FIRST if before == SECOND else SECOND
    after = other if operation == "rollback" else before

    with load.during(mixed_load(subject, before, after)) as measured:
        carry_out(bench, operation, step)

    assert subject.serving == after
    assert measured.result.failed == 0, measured.result


@pytest.mark.parametrize("step", STEPS)
def test_a_stop_and_a_start_are_completed_although_their_worker_is_killed(
    bench: Bench, step: Step
) -> None:
    subject = bench.subject()
    before = subject.serving

    carry_out(bench, "stop", step)
    stopped = request("GET", subject.url).status
    carry_out(bench, "start", step)

    assert stopped == 503
    assert subject.serving == before


def carry_out(bench: Bench, operation: str, step: Step) -> None:
    """With the worker killed at the end of that step."""
    victim = pid(bench.platform, "worker")
    assert victim is not None
    with bench.gate.shut(step) as let_go:
        deployment = ask(bench, operation)
        until(bench.gate.is_waited_at, limit=DEADLINE, what=f"the end of {step}")
        assert bench.gate.is_open(deployment, step)
        os.kill(victim, signal.SIGKILL)
        let_go()
        found = until_settled(bench, deployment)
    until_whole(bench, "worker", victim)
    assert found["status"] == "success", found


def ask(bench: Bench, operation: str) -> str:
    """The id of the deployment that carries it out."""
    subject = bench.subject()
    place = f"/environments/{subject.environment}"
    if operation == "scale":
        body = {"processes": {"web": 3 - webs(bench, subject)}}
        return str(bench.user.call("PUT", f"{place}/scale", body)["deployment"]["id"])
    if operation == "rollback":
        past = subject.first if subject.serving == SECOND else subject.second
        place = f"/deployments/{past['id']}"
    return str(bench.user.call("POST", f"{place}/{operation}")["id"])


def webs(bench: Bench, subject: Subject) -> int:
    mine = [
        row for row in bench.world.living() if str(row["environment_id"]) == subject.environment
    ]
    return sum(row["process"] == "web" for row in mine)


@pytest.mark.parametrize("seed", range(4))
def test_a_removal_is_completed_although_its_worker_is_killed(bench: Bench, seed: int) -> None:
    subject = bench.fresh()
    victim = pid(bench.platform, "worker")
    assert victim is not None

    bench.user.call("DELETE", f"/projects/{subject.project}")
    time.sleep(Random(seed).uniform(0, 1))  # noqa: S311 - a die, not a key
    os.kill(victim, signal.SIGKILL)
    query = "select from environments where id = %s"
    until(lambda: not bench.rows.count(query, subject.environment), limit=DEADLINE, what="removed")
    until_whole(bench, "worker", victim)

    assert request("GET", subject.url).status == 404


@pytest.mark.timeout(900)
def test_twenty_kills_of_any_process_at_any_moment_leave_nothing_stuck_or_doubled(
    bench: Bench,
) -> None:
    """Of all but the edge, so that each request is answered."""
    subject, chance = bench.subject(), Random(SEED)  # noqa: S311 - a die, not a key
    parts = [part for part in PARTS if part != "edge"]
    asked, kills = list[str](), 0

    with answered(subject):
        while kills < KILLS:
            subject.change()
            asked.append(str(bench.user.request_deployment(subject.project)["id"]))
            while kills < KILLS and is_at_work(bench, asked[-1]):
                time.sleep(chance.uniform(0, 2))
                kills += is_at_work(bench, asked[-1]) and kill(bench, chance.choice(parts))
            until(lambda: bench.platform.is_ready, limit=DEADLINE, what="an api that answers")
        ends = [until_settled(bench, one) for one in asked]
        until_whole(bench, "worker", None)

    assert {one["status"] for one in ends} <= {"success", "failed", "superseded"}
    assert not [one for one in ends if "platform itself" in (one["error_message"] or "")]
    assert len({(row["process"], row["index"]) for row in bench.world.living()}) == len(
        bench.world.living()
    )


@contextmanager
def answered(subject: Subject) -> Generator[None]:
    """Whatever version, each request is answered by one of them."""
    bodies = tuple(f"{number}\n".encode() for number in range(1, 200))
    with load.during(mixed_load(subject, *bodies)) as measured:
        yield
    assert measured.result.failed == 0, measured.result


def is_at_work(bench: Bench, deployment: str) -> bool:
    query = "select from deployments where id = %s and settled_at is null"
    return bench.rows.count(query, deployment) == 1


def kill(bench: Bench, part: str) -> bool:
    """Whether there was something to kill."""
    victim = pid(bench.platform, part)
    if victim is not None:
        os.kill(victim, signal.SIGKILL)
    return victim is not None
