"""The least a deployment can cost: the same work by hand, nothing watched, nothing safe."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.platform import free_ports, request


def until_200(url: str, *, limit: float = 30) -> None:
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            if request("GET", url, timeout=2).status == 200:
                return
        except OSError:
            time.sleep(0.005)
    message = f"{url} did not answer"
    raise TimeoutError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """Deploys below `folder`, with a package cache that is warm after the first time."""

    folder: Path

    def deploy(self, url: str) -> float:
        """Seconds for clone + `uv venv` + install + start until the first 200."""
        tree, (port,) = self.folder / "tree", free_ports(1)
        cache = {"UV_CACHE_DIR": str(self.folder / "cache"), "UV_LINK_MODE": "hardlink"}
        environ = {**os.environ, **cache, "PORT": str(port)}
        began = time.monotonic()
        _make(url, tree, environ)
        app = subprocess.Popen(
            [_python(tree), "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "app:app"],
            cwd=tree,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until_200(f"http://127.0.0.1:{port}/health")
            return time.monotonic() - began
        finally:
            app.terminate()
            app.wait(10)
            shutil.rmtree(tree)


def _make(url: str, tree: Path, environ: dict[str, str]) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    requirements = str(tree / "requirements.txt")
    for argv in (
        ["git", "clone", "-q", "--depth", "1", url, str(tree)],
        [uv, "venv", "-q", "--python", sys.executable, str(tree / ".venv")],
        [uv, "pip", "install", "-q", "--python", _python(tree), "-r", requirements],
    ):
        subprocess.run(argv, check=True, env=environ, timeout=120)


def _python(tree: Path) -> str:
    return str(tree / ".venv" / "bin" / "python")
