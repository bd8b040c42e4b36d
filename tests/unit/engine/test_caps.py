"""What an instance may use in the end."""

from autostack.engine.caps import limits_of
from autostack.engine.plan import Caps, Family, Plan, Process
from autostack.engine.release import MIB, Limits

WEB = Process(name="web", command=("serve",), caps=Caps(memory_mb=1024, pids=100))
PLAN = Plan(family=Family.PYTHON, processes=(WEB, Process(name="worker", command=("work",))))


def test_what_nobody_caps_has_its_defaults() -> None:
    assert limits_of("worker", PLAN, {}) == Limits()


def test_the_environment_ranks_above_the_plan_for_each_cap() -> None:
    found = limits_of("web", PLAN, {"web": Caps(memory_mb=256, cpu=0.5)})

    assert (found.memory, found.cpu, found.pids) == (256 * MIB, 0.5, 100)


def test_a_release_command_may_use_what_web_may() -> None:
    assert limits_of("release", PLAN, {}).memory == 1024 * MIB
    assert limits_of("release", PLAN, {"web": Caps(memory_mb=64)}).memory == 64 * MIB
    assert limits_of("release", PLAN, {"release": Caps(memory_mb=99)}).memory == 99 * MIB
