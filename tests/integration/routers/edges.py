"""A real edge under a real supervisor, for tests."""

import asyncio
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from autostack.core.home import Home
from autostack.drivers.routers.probe import HttpProbe
from autostack.drivers.routers.traefik import TraefikRouter
from autostack.engine.plan import Check
from tests.platform import Reply, free_ports, request

APP = Path(__file__).with_name("app.py")

SUPERVISOR = """[supervisord]
nodaemon=true
silent=true
logfile={root}/supervisor.log
pidfile={root}/supervisor.pid
[fcgi-program:edge]
command={python} -m autostack.entrypoints.edge --home {root}/home --port {port} --user {user}
  --number %(process_num)d
process_name=edge-%(process_num)d
numprocs=2
socket=tcp://0.0.0.0:{port}
startretries=1000
autorestart=true
redirect_stderr=true
stdout_logfile={root}/home/logs/platform/edge.log
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealEdge:
    home: Home
    port: int
    supervisor: subprocess.Popen[bytes]

    @property
    def router(self) -> TraefikRouter:
        return TraefikRouter(self.home.edge, port=self.port)

    def get(self, host: str, path: str = "/", *, method: str = "GET", **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://127.0.0.1:{self.port}{path}"
        return request(method, url, headers={"Host": host, **named}, timeout=10)

    def process(self, word: str) -> psutil.Process:
        """The running process of the edge whose command line has this word."""
        children = psutil.Process(self.supervisor.pid).children()
        return next(one for one in children if word in " ".join(one.cmdline()))


@contextmanager
def edge() -> Generator[RealEdge]:
    root = Path(tempfile.mkdtemp(prefix="autostack-edge-"))
    root.chmod(0o755)
    (port,) = free_ports(1)
    home = Home(root / "home")
    home.platform_log("edge").parent.mkdir(parents=True)
    user = pwd.getpwuid(os.geteuid() or pwd.getpwnam("nobody").pw_uid).pw_name
    config = root / "supervisor.conf"
    config.write_text(SUPERVISOR.format(root=root, port=port, user=user, python=sys.executable))
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        made = RealEdge(home=home, port=port, supervisor=supervisor)
        _wait(made)
        yield made
    finally:
        supervisor.terminate()
        supervisor.wait(30)
        shutil.rmtree(root, ignore_errors=True)


def _wait(made: RealEdge) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            if b"Nothing here" in made.get("nobody.test").body:
                return
        except OSError:
            pass
        if time.monotonic() > end:
            raise TimeoutError(made.home.platform_log("edge").read_text()[-3000:])
        time.sleep(0.05)


@asynccontextmanager
async def app(version: str) -> AsyncGenerator[str]:
    """An app of this version that serves; its `host:port`. Ended when the block ends."""
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(sys.executable, "-S", APP, str(port), version)
    try:
        address = f"127.0.0.1:{port}"
        await _until_it_serves(address)
        yield address
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_it_serves(address: str) -> None:
    async with asyncio.timeout(20):
        while True:
            if not (await HttpProbe().once(address, Check())).error:
                return
            await asyncio.sleep(0.02)
