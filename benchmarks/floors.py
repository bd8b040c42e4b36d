"""The least a deployment can cost: the same work by hand, nothing watched, nothing safe."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.series import Series
from tests.platform import free_ports, request


def _until_200(url: str, *, limit: float = 30) -> None:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            if request("GET", url, timeout=2).status == 200:
                return
        except OSError:
            time.sleep(0.005)
    message = f"{url} did not answer"
    raise TimeoutError(message)


def _by_hand(url: str, folder: Path, cache: Path) -> float:
    uv = str(Path(sys.executable).with_name("uv"))
    tree, (port,) = folder / "tree", free_ports(1)
    environ = {**os.environ, "UV_CACHE_DIR": str(cache), "PORT": str(port)}
    python = str(tree / ".venv" / "bin" / "python")
    began = time.monotonic()
    for argv in (
        ["git", "clone", "-q", "--depth", "1", url, str(tree)],
        [uv, "venv", "-q", "--python", sys.executable, str(tree / ".venv")],
        [uv, "pip", "install", "-q", "--python", python, "-r", str(tree / "requirements.txt")],
    ):
        subprocess.run(argv, check=True, env=environ, timeout=120)
    argv = [python, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "app:app"]
    app = subprocess.Popen(
        argv, cwd=tree, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _until_200(f"http://127.0.0.1:{port}/health")
        return time.monotonic() - began
    finally:
        app.terminate()
        app.wait(10)


def flask(url: str, *, runs: int) -> Series:
    """Clone + `uv venv` + install from a warm cache + start until the first 200."""
    with tempfile.TemporaryDirectory(prefix="autostack-floor-") as scratch:
        cache = Path(scratch) / "cache"
        values: list[float] = []
        for run in range(runs + 1):
            folder = Path(scratch) / str(run)
            folder.mkdir()
            values.append(_by_hand(url, folder, cache))
            shutil.rmtree(folder)
    # The first run filled the cache.
    return Series(name="Flask by hand (floor)", unit="s", values=tuple(values[1:]))
