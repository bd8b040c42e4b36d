"""Other programs' packet filters, on a small machine made of network namespaces."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]


@pytest.mark.needs("linux", "root", "ip", "iptables", "unshare")
def test_apps_reach_the_internet_although_nothing_may_be_forwarded() -> None:
    argv = ["unshare", "--net", sys.executable, "-m", "tests.integration.machine.router"]

    done = subprocess.run(
        argv,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "free": 0,
        "before": True,
        "cut off": False,
        "again": True,
        "rules": 2,
        "in Docker's chain": 2,
        "with Docker": True,
        "quiet": [],
        "left": 0,
    }
