"""A process that gave up root, as the kernel sees it."""

import subprocess
import sys

import pytest

PROGRAM = """
import pwd
from pathlib import Path
from autostack.drivers.machine import privileges
from autostack.drivers.machine.users import Account

nobody = pwd.getpwnam("nobody")
privileges.become(Account("nobody", nobody.pw_uid, nobody.pw_gid), groups=[4242])
print(Path("/proc/self/status").read_text())
try:
    Path("/proc/self/mem").open("rb")
    print("Memory: open")
except PermissionError:
    print("Memory: closed")
"""


@pytest.fixture(scope="module")
def status() -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=30
    )
    lines = (line.partition(":") for line in done.stdout.splitlines())
    return {name: value.strip() for name, _, value in lines}


pytestmark = [pytest.mark.needs("root", "linux")]


@pytest.mark.parametrize("kind", ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
def test_no_capability_is_left(status: dict[str, str], kind: str) -> None:
    assert int(status[kind], 16) == 0


def test_nothing_it_starts_can_gain_any(status: dict[str, str]) -> None:
    assert status["NoNewPrivs"] == "1"


def test_all_its_users_and_groups_are_the_new_ones(status: dict[str, str]) -> None:
    assert len(set(status["Uid"].split())) == 1
    assert status["Uid"].split()[0] != "0"
    assert status["Groups"].split() == ["4242"]


def test_others_of_its_user_cannot_read_its_memory(status: dict[str, str]) -> None:
    assert status["Memory"] == "closed"
