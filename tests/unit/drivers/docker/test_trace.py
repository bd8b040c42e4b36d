"""BuildKit's account, with messages as it sends them."""

import base64

import pytest

from autostack.drivers.builders.docker_engine import failure, split
from autostack.drivers.builders.docker_trace import Trace
from autostack.engine.errors import BuildFailed, BuildOutOfMemory, DockerfileRefused, OutOfDisk
from autostack.engine.release import MIB, Limits

LIMITS = Limits(memory=MIB)
OUTPUT = base64.b64decode(
    "Gl0KR3NoYTI1NjowYmU1NDY2OGY1MWMxYjliYmMwMTZhZGI4ODMyNzRhNGJlYmZjYWVmNGZlZjIyMTQzMzJmYTAxYmE0"
    "M2RhNjgwEgsIkYuU2AYQ/f61FxgBIgNoaQo="
)
STEP = base64.b64decode(
    "CpsBCkdzaGEyNTY6ZGRlMWVhNzM3MjFkN2Q3MjlmNGJhMTFkODNmM2VlZTAwMzZhNzc0YmU1ZTUzNmE2MjQxZTE3M2I3"
    "Yzg5YTY5Mxo0W3N0YWdlLTAgMS8yXSBGUk9NIGRvY2tlci5pby9hdXRvc3RhY2stdGVzdC9weXRob246MyoMCJCLlNgG"
    "ENDa+voCMgwIkIuU2AYQiaH8qQM="
)


def test_what_a_command_prints_is_passed_on() -> None:
    assert Trace().read(OUTPUT) == b"hi\n"


def test_a_step_is_named_once() -> None:
    trace = Trace()

    assert trace.read(STEP) == b"[stage-0 1/2] FROM docker.io/autostack-test/python:3\n"
    assert trace.read(STEP) == b""


def test_what_is_no_message_is_said_to_be_none() -> None:
    with pytest.raises(ValueError, match="7"):
        Trace().read(b"\xff" * 3 + b"\x07")


def test_failures_of_both_builders_are_read() -> None:
    old = "The command '/bin/sh -c exit 3' returned a non-zero code: 3"
    new = "executor failed running [/bin/sh -c exit 4]: exit code: 4"
    newest = 'process "/bin/sh -c exit 5" did not complete successfully: exit code: 5'

    told = [str(failure(words, limits=LIMITS)) for words in (old, new, newest)]

    assert told == [f"/bin/sh -c exit {code} failed with exit code {code}." for code in (3, 4, 5)]


def test_other_failures_have_kinds_of_their_own() -> None:
    killed = failure("The command 'x' returned a non-zero code: 137", limits=LIMITS)
    full = failure("write /x: no space left on device", limits=LIMITS)
    odd = failure("dockerfile parse error line 2: unknown instruction: X", limits=LIMITS)

    assert isinstance(killed, BuildOutOfMemory)
    assert isinstance(full, OutOfDisk)
    assert isinstance(odd, DockerfileRefused)
    assert not isinstance(odd, BuildFailed)


def test_a_port_of_a_registry_is_no_tag() -> None:
    assert split("host:5000/a/b") == ("host:5000/a/b", "latest")
    assert split("host:5000/a/b:1") == ("host:5000/a/b", "1")
    assert split("python@sha256:abc") == ("python", "sha256:abc")
