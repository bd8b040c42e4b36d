"""A spec as a container, and a container as an observation."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from autostack.drivers.runtimes.docker_container import Seat, describe, last_end, moment, observe
from autostack.engine.release import (
    MIB,
    Artifact,
    Exit,
    InstanceSpec,
    InstanceState,
    Limits,
    NetworkPlace,
)

ONE = UUID(int=1)
SPEC = InstanceSpec(
    id=ONE, project_id=ONE, environment_id=ONE, release_id=ONE, process="web",
    artifact=Artifact(id="a", kind="image", location="sha256:abc"), command=(),
    env={"PORT": "8000"}, uid=1, place=NetworkPlace(address="10.64.0.10", port=8000),
    limits=Limits(memory=64 * MIB, pids=10, cpu=0.5, files=99), output=Path("/out"),
)  # fmt: skip
SEAT = Seat(network="net", address="10.128.0.2")
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_rights_and_caps_are_said_explicitly() -> None:
    host = describe(SPEC, SEAT, labels={})["HostConfig"]

    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] == ["CHOWN", "KILL", "SETGID", "SETUID"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert (host["Memory"], host["MemorySwap"]) == (64 * MIB, 64 * MIB)
    assert (host["PidsLimit"], host["NanoCpus"]) == (10, 500_000_000)
    assert host["Ulimits"][0] == {"Name": "nofile", "Soft": 99, "Hard": 99}
    assert host["Init"] is True
    assert host["RestartPolicy"] == {"Name": "unless-stopped"}


def test_no_port_is_published_where_the_host_reaches_the_network() -> None:
    described = describe(SPEC, SEAT, labels={})

    assert described["HostConfig"]["PortBindings"] == {}
    endpoints = described["NetworkingConfig"]["EndpointsConfig"]
    assert endpoints == {"net": {"IPAMConfig": {"IPv4Address": "10.128.0.2"}}}


def test_a_port_is_published_on_loopback_only_where_it_does_not() -> None:
    seat = Seat(network="net", address="10.128.0.2", published=20_001)

    bindings = describe(SPEC, seat, labels={})["HostConfig"]["PortBindings"]

    assert bindings == {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "20001"}]}


def test_without_a_command_the_image_has_its_own() -> None:
    assert "Cmd" not in describe(SPEC, SEAT, labels={})


def test_a_release_command_is_not_started_again() -> None:
    described = describe(SPEC, SEAT, labels={}, once=True)

    assert described["HostConfig"]["RestartPolicy"] == {"Name": "no"}


def seen(status: str, *, restarts: int = 0, started: datetime = NOW, **state: Any) -> Any:  # noqa: ANN401
    return {
        "RestartCount": restarts,
        "State": {
            "Status": status, "Running": status == "running", "Restarting": status == "restarting",
            "ExitCode": 0, "OOMKilled": False, "StartedAt": started.isoformat(),
            "FinishedAt": "0001-01-01T00:00:00Z", **state,
        },
    }  # fmt: skip


def test_states_of_the_engine_are_states_of_ours() -> None:
    told = {
        status: observe(ONE, seen(status), now=NOW).state
        for status in ("created", "running", "paused", "restarting", "exited", "dead")
    }

    assert told == {
        "created": InstanceState.STARTING,
        "running": InstanceState.RUNNING,
        "paused": InstanceState.RUNNING,
        "restarting": InstanceState.BACKOFF,
        "exited": InstanceState.STOPPED,
        "dead": InstanceState.CRASHED,
    }


def test_many_restarts_are_a_crash_loop_until_it_stays_up() -> None:
    young = seen("running", restarts=4, started=NOW - timedelta(seconds=9))
    proved = seen("running", restarts=4, started=NOW - timedelta(seconds=11))

    assert observe(ONE, young, now=NOW).state is InstanceState.CRASHED
    assert observe(ONE, proved, now=NOW).state is InstanceState.RUNNING


def test_the_end_by_memory_is_told() -> None:
    ended = seen(
        "exited", ExitCode=137, OOMKilled=True, FinishedAt="2026-01-01T11:00:00.123456789Z"
    )

    assert observe(ONE, ended, now=NOW).exit == Exit(code=137, signal=9, oom=True)


def test_an_end_the_engine_forgot_is_found_in_its_journal() -> None:
    events: list[dict[str, Any]] = [
        {"Action": "die", "Actor": {"Attributes": {"exitCode": "1"}}},
        {"Action": "oom", "Actor": {"Attributes": {}}},
        {"Action": "die", "Actor": {"Attributes": {"exitCode": "137"}}},
    ]

    assert last_end(events) == Exit(code=137, signal=9, oom=True)
    assert last_end(events[:1]) == Exit(code=1)
    assert last_end([]) is None


def test_times_with_nine_digits_are_read() -> None:
    assert moment("2026-01-01T11:00:00.123456789Z").microsecond == 123456
    assert moment("2026-01-01T11:00:00.5Z").microsecond == 500000
    assert moment("0001-01-01T00:00:00Z").year == 1
