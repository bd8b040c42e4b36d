"""The process runtime of a normal user: bubblewrap, the host's network, no caps."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

import autostack
from autostack.core.home import Home
from autostack.core.host import Host
from autostack.drivers.machine import isolation, sandbox
from autostack.drivers.machine.sandbox import Machine, Sandbox, Way

pytestmark = pytest.mark.needs("linux")
NOBODY = 1_899_999_999
CHECKOUT = Path(__file__).parents[3]
DROP = """
import os, sys
sys.path.insert(0, sys.argv[1])
from autostack.drivers.machine import view
user, program, *rest = sys.argv[2:]
view.enter([program, *sys.argv[1:2], *rest[-1:], *os.environ["NEEDED"].split(":")])
os.setgroups([]); os.setresgid(*[int(user)] * 3); os.setresuid(*[int(user)] * 3)
os.environ.pop("NEEDED")
os.execv(program, [program, *rest])
"""


# In a user namespace of one's own one may forbid further ones, without which there is no sandbox.
FORBID = """
import ctypes, os, sys
user, group = os.geteuid(), os.getegid()
assert ctypes.CDLL(None).unshare(0x10000000) == 0
maps = {"uid_map": f"{user} {user} 1", "setgroups": "deny", "gid_map": f"{group} {group} 1"}
for name, text in maps.items():
    open(f"/proc/self/{name}", "w").write(text)
open("/proc/sys/user/max_user_namespaces", "w").write("0")
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_an_instance_runs_from_start_to_stop(tmp_path: Path) -> None:
    told = as_normal_user(tmp_path)

    assert told == {
        "uid": NOBODY if os.geteuid() == 0 else os.geteuid(),
        "answer": "hello",
        "check": "the check command ended with exit code 7",
        "found": True,
        "printed": "serving\ngood-bye\n",
        "after": "missing",
        "fatal": [],
        "cautions": 0,
    }


def test_without_any_sandbox_nothing_is_started(tmp_path: Path) -> None:
    told = as_normal_user(tmp_path, without_namespaces=True, REFUSED="1")

    assert str(told).startswith("Code cannot be isolated on this machine: bwrap: ")


def test_unisolated_code_runs_only_where_its_owner_says_so(tmp_path: Path) -> None:
    told = as_normal_user(tmp_path, without_namespaces=True, UNSAFE="1")

    assert told == {
        "uid": NOBODY if os.geteuid() == 0 else os.geteuid(),
        "answer": "hello",
        "check": "the check command ended with exit code 7",
        "found": True,
        "printed": "serving\ngood-bye\n",
        "after": "missing",
        "fatal": [],
        "cautions": 1,
        "in its copy": True,
        "source": True,
        "timed out": True,
        "left": 0,
    }


def test_isolation_is_used_where_it_works_whatever_the_setting_says(tmp_path: Path) -> None:
    machine = Machine(
        home=Home(tmp_path), host=Host(bridge=None, subnet=None, first_uid=NOBODY), unsafe=True
    )

    argv, told = isolation.describe(
        Sandbox(id=uuid4(), uid=NOBODY), ["/bin/true"], Way(), machine=machine
    )

    assert argv == sandbox.launcher()
    assert "bwrap" in told["program"]


def as_normal_user(root: Path, *, without_namespaces: bool = False, **settings: str) -> object:
    script = ["-m", "tests.integration.runtimes.without_root", str(root)]
    argv = [sys.executable, *script]
    if without_namespaces:
        argv = [sys.executable, "-c", FORBID, *argv]
    if os.geteuid() == 0:
        os.chown(root, NOBODY, NOBODY)
        source = str(Path(autostack.__file__).parents[1])
        argv = [sys.executable, "-c", DROP, source, str(NOBODY), *argv]
    needed = f"{sys.prefix}:{sys.base_prefix}:{CHECKOUT}"
    env = {
        **os.environ,
        "HOME": str(root),
        "NEEDED": needed,
        "PYTHONPATH": f"{CHECKOUT}/src:{CHECKOUT}",
    }
    env |= settings
    done = subprocess.run(
        argv, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
