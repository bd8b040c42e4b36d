"""Without a sandbox: where things lie that a sandbox would show elsewhere."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from autostack.core.home import Home
from autostack.core.host import Host
from autostack.drivers.machine import bare
from autostack.drivers.machine.sandbox import Bind, Machine, Sandbox, Way

MACHINE = Machine(
    home=Home(Path("/srv/a")), host=Host(bridge=None, subnet=None, first_uid=1), unsafe=True
)
BOX = Sandbox(
    id=uuid4(),
    uid=1,
    binds=(
        Bind(source=Path("/work/app"), target="/app", writable=True),
        Bind(source=Path("/caches/p"), target="/cache", writable=True),
        Bind(source=Path("/venv/bin/uv"), target="/opt/tools/uv"),
    ),
    path=("/app/.venv/bin", "/opt/tools"),
    env={"UV_CACHE_DIR": "/cache/uv", "SAYS": "/application"},
)


def described(box: Sandbox, *command: str) -> dict[str, Any]:
    return bare.describe(box, command, Way(), machine=MACHINE)


def test_paths_of_the_sandbox_become_real_ones() -> None:
    told = described(BOX, "/opt/tools/uv", "pip", "--target", "/app/lib")

    assert told["command"] == ["/venv/bin/uv", "pip", "--target", "/work/app/lib"]
    assert told["workdir"] == "/work/app"


def test_variables_and_path_are_exchanged_piece_by_piece() -> None:
    env = described(BOX)["env"]

    assert env["PATH"].startswith("/work/app/.venv/bin:/venv/bin:/usr/local/sbin")
    assert env["UV_CACHE_DIR"] == "/caches/p/uv"
    assert env["HOME"] == "/work/app"
    assert env["SAYS"] == "/application"


def test_what_an_instance_may_write_to_is_a_copy_of_its_own() -> None:
    box = Sandbox(
        id=BOX.id, uid=1, binds=(Bind(source=Path("/art/app"), target="/app", scratch=True),)
    )

    told = described(box, "serve")

    copy = f"/srv/a/instances/{box.id}/copy0"
    assert told["copies"] == [["/art/app", copy]]
    assert told["workdir"] == copy


@pytest.mark.parametrize("text", ["http://app/x", "a=/app", "/apps", "app"])
def test_what_only_looks_like_a_path_stays(text: str) -> None:
    assert bare.exchange(text, [("/app", "/work/app")]) == text
