"""A spec as the engine's description of a container, and a container as an observation. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from autostack.engine.release import Exit, InstanceSpec, InstanceState, Observation

Document = Mapping[str, Any]

NAME = "autostack-{}"
CAPABILITIES = ("CHOWN", "KILL", "SETGID", "SETUID")
"""What images that begin as root use to become somebody else; all others are dropped."""
LOG = {"Type": "json-file", "Config": {"max-size": "16m", "max-file": "4"}}
ONCE = "autostack.once"
"""Label of what runs to its end."""
SIGNALED = 128
OOM_FIRST = 500
"""When memory runs out everywhere, apps go before the platform does."""
LOOP = 4
"""Restarts after which an instance that does not stay up counts as given up."""
STAYED = timedelta(seconds=10)
_FRACTION = re.compile(r"(\.\d{1,6})\d*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where a container is put. `published` is a port of this host's loopback, where the host
    cannot reach the network itself.
    """

    network: str
    address: str
    published: int | None = None


def name_of(instance_id: UUID) -> str:
    return NAME.format(instance_id)


def describe(
    spec: InstanceSpec, seat: Seat, *, labels: Mapping[str, str], once: bool = False
) -> dict[str, Any]:
    """The body of `POST /containers/create`. No command leaves the image its own."""
    port = f"{spec.place.port}/tcp"
    described: dict[str, Any] = {
        "Image": spec.artifact.location,
        "Env": [f"{name}={value}" for name, value in spec.env.items()],
        "Hostname": spec.id.hex[:12],
        "Labels": {**labels, **_labels(spec, seat), **({ONCE: "yes"} if once else {})},
        "ExposedPorts": {port: {}},
        "HostConfig": _host(spec, seat, once=once),
        "NetworkingConfig": {
            "EndpointsConfig": {seat.network: {"IPAMConfig": {"IPv4Address": seat.address}}}
        },
    }
    return described | ({"Cmd": list(spec.command)} if spec.command else {})


def _labels(spec: InstanceSpec, seat: Seat) -> dict[str, str]:
    return {
        "autostack.instance": str(spec.id),
        "autostack.environment": str(spec.environment_id),
        "autostack.project": str(spec.project_id),
        "autostack.release": str(spec.release_id),
        "autostack.process": spec.process,
        "autostack.address": seat.address,
    }


def _host(spec: InstanceSpec, seat: Seat, *, once: bool) -> dict[str, Any]:
    limits = spec.limits
    port = f"{spec.place.port}/tcp"
    publish = [{"HostIp": "127.0.0.1", "HostPort": str(seat.published)}] if seat.published else []
    return {
        "NetworkMode": seat.network,
        "PortBindings": {port: publish} if publish else {},
        "Memory": limits.memory,
        "MemorySwap": limits.memory,
        "NanoCpus": int((limits.cpu or 0) * 1_000_000_000),
        "PidsLimit": limits.pids,
        "Ulimits": [
            {"Name": "nofile", "Soft": limits.files, "Hard": limits.files},
            {"Name": "core", "Soft": 0, "Hard": 0},
        ],
        "CapDrop": ["ALL"],
        "CapAdd": list(CAPABILITIES),
        "SecurityOpt": ["no-new-privileges"],
        "Init": True,
        "OomScoreAdj": OOM_FIRST,
        "LogConfig": LOG,
        "RestartPolicy": {"Name": "no" if once else "unless-stopped"},
    }


def observe(
    instance_id: UUID, seen: Document, *, now: datetime, last: Exit | None = None
) -> Observation:
    """What the engine says of a container. `last` is how it ended before it ran as it does now:
    the engine forgets that when it starts a container again.
    """
    state: Document = seen["State"]
    restarts = int(seen.get("RestartCount", 0))
    ended = _end(state) if not state.get("Running") or state.get("Restarting") else last
    return Observation(
        id=instance_id,
        state=_state(state, restarts, now),
        restarts=restarts,
        exit=ended,
    )


def _state(state: Document, restarts: int, now: datetime) -> InstanceState:
    match state["Status"]:
        case "created":
            return InstanceState.STARTING
        case "restarting":
            return InstanceState.CRASHED if restarts >= LOOP else InstanceState.BACKOFF
        case "running" | "paused":
            unproved = restarts >= LOOP and now - moment(state["StartedAt"]) < STAYED
            return InstanceState.CRASHED if unproved else InstanceState.RUNNING
        case "exited" | "removing":
            return InstanceState.STOPPED
        case _:
            return InstanceState.CRASHED


def _end(state: Document) -> Exit | None:
    if moment(state["FinishedAt"]).year == 1:
        return None
    return how_it_ended(int(state["ExitCode"]), oom=bool(state["OOMKilled"]))


def how_it_ended(code: int, *, oom: bool = False) -> Exit:
    number = code - SIGNALED
    by_signal = 0 < number < 65  # noqa: PLR2004 - the kernel's highest signal is 64
    return Exit(code=code, signal=number if by_signal else None, oom=oom and code != 0)


def last_end(events: Sequence[Document]) -> Exit | None:
    """From the engine's own journal of a container, oldest first."""
    ended: Exit | None = None
    oom = False
    for event in events:
        if event["Action"] == "oom":
            oom = True
        elif event["Action"] == "die":
            code = int(event["Actor"]["Attributes"].get("exitCode", 0))
            ended, oom = how_it_ended(code, oom=oom), False
    return ended


def moment(text: str) -> datetime:
    """The engine's times have nine digits and Python's have six."""
    trimmed = _FRACTION.sub(r"\1", text.replace("Z", "+00:00"), count=1)
    found = datetime.fromisoformat(trimmed)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
