"""What an instance may use: the defaults, what the plan says, what the environment says. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from autostack.engine.plan import Caps, Plan
from autostack.engine.release import MIB, Limits

RELEASE, WEB = "release", "web"


def limits_of(process: str, plan: Plan, environment: Mapping[str, Caps]) -> Limits:
    """A release command loads the same code as the web process, so it may use as much."""
    caps = environment.get(process, Caps()).over(_planned(process, plan))
    if process == RELEASE:
        caps = caps.over(environment.get(WEB, Caps())).over(_planned(WEB, plan))
    limits = Limits(cpu=caps.cpu)
    if caps.memory_mb is not None:
        limits = replace(limits, memory=caps.memory_mb * MIB)
    return limits if caps.pids is None else replace(limits, pids=caps.pids)


def _planned(process: str, plan: Plan) -> Caps:
    return next((one.caps for one in plan.processes if one.name == process), Caps())
