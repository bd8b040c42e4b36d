"""The process runtime of a normal user: bubblewrap, the host's network, no caps."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import autostack

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


def test_an_instance_runs_from_start_to_stop(tmp_path: Path) -> None:
    told = as_normal_user(tmp_path)

    assert told == {
        "uid": NOBODY if os.geteuid() == 0 else os.geteuid(),
        "answer": "hello",
        "found": True,
        "printed": "serving\ngood-bye\n",
        "after": "missing",
        "fatal": [],
    }


def as_normal_user(root: Path) -> object:
    script = ["-m", "tests.integration.runtimes.without_root", str(root)]
    argv = [sys.executable, *script]
    if os.geteuid() == 0:
        os.chown(root, NOBODY, NOBODY)
        source = str(Path(autostack.__file__).parents[1])
        argv = [sys.executable, "-c", DROP, source, str(NOBODY), *argv]
    needed = f"{sys.prefix}:{sys.base_prefix}:{CHECKOUT}"
    env = {**os.environ, "HOME": str(root), "NEEDED": needed, "PYTHONPATH": str(CHECKOUT)}
    done = subprocess.run(
        argv, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
