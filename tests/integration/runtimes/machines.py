"""A supervisor of its own with the process runtime on it, and specs of small apps."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from autostack.core.home import Home
from autostack.drivers.machine import network
from autostack.drivers.machine.sandbox import Machine
from autostack.drivers.runtimes.process import ProcessRuntime
from autostack.engine.release import MIB, Artifact, InstanceSpec, Limits, NetworkPlace
from tests.platform import free_ports

CONFIGURATION = """
[supervisord]
nodaemon=true
logfile={root}/supervisord.log
pidfile={run}/supervisord.pid
[unix_http_server]
file={socket}
chmod=0700
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[rpcinterface:autostack]
supervisor.rpcinterface_factory = autostack.drivers.machine.supervisor_plugin:make
"""

SERVER = """
import os, signal, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

def bye(*_):
    print("good-bye", flush=True)
    sys.exit(0)

class Answer(BaseHTTPRequestHandler):
    log_message = lambda *_: None
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ.get("SAYS", "hello").encode())

if "POLITE" in os.environ:
    signal.signal(signal.SIGTERM, bye)
print("serving", flush=True)
HTTPServer((os.environ.get("HOST", "0.0.0.0"), int(os.environ["PORT"])), Answer).serve_forever()
"""


@dataclass(slots=True)
class House:
    """One platform's machine, and what a test asks of it."""

    machine: Machine
    _given: int = field(default=0)

    @property
    def runtime(self) -> ProcessRuntime:
        """A new one each time: all it knows is in the supervisor and on disk."""
        return ProcessRuntime(self.machine)

    def artifact(self, *, code: str = SERVER) -> Artifact:
        location = self.machine.home.artifacts / str(uuid4())
        app = location / "app"
        app.mkdir(parents=True)
        app.chmod(0o777)
        (app / "server.py").write_text(code)
        described = {
            "mounts": runtimes(),
            "path": [str(Path(sys.executable).parent)],
            "env": {"FROM_BUILD": "yes"},
        }
        (location / "artifact.json").write_text(json.dumps(described))
        return Artifact(id=location.name, kind="directory", location=str(location))

    def spec(
        self, *command: str, code: str = SERVER, memory: int = 128 * MIB, pids: int = 64, **env: str
    ) -> InstanceSpec:
        """Without a command it serves HTTP on its own address."""
        place = self._place()
        one = uuid4()
        return InstanceSpec(
            id=one,
            project_id=one,
            environment_id=one,
            release_id=one,
            process="web",
            artifact=self.artifact(code=code),
            command=command or (sys.executable, "server.py"),
            env={"PORT": str(place.port), **env},
            uid=self.machine.host.first_uid + self._given,
            place=place,
            limits=Limits(memory=memory, pids=pids),
            output=self.machine.home.instance_output(one),
        )

    def _place(self) -> NetworkPlace:
        self._given += 1
        if self.machine.host.subnet is None:
            return NetworkPlace(address="127.0.0.1", port=free_ports(1)[0])
        base = self.machine.host.subnet.split("/")[0].removesuffix(".0")
        return NetworkPlace(address=f"{base}.{20 + self._given}", port=8000)


def runtimes() -> list[str]:
    """What this test's own interpreter needs, wherever it is installed."""
    return sorted({sys.prefix, sys.base_prefix} - {"/usr"})


@contextmanager
def house(root: Path, *, unsafe: bool = False) -> Generator[House]:
    home = Home(root / "home")
    for folder in (home.instances, home.run, home.logs, home.artifacts):
        folder.mkdir(parents=True)
    home.root.chmod(0o711)
    host = network.allot(home, root=os.geteuid() == 0)
    machine = Machine(home=home, host=host, unsafe=unsafe)
    try:
        with supervisor(home):
            yield House(machine)
    finally:
        network.remove(host)


@contextmanager
def supervisor(home: Home) -> Generator[subprocess.Popen[bytes]]:
    file = home.run / "supervisord.conf"
    file.write_text(
        CONFIGURATION.format(root=home.root, run=home.run, socket=home.supervisor_socket)
    )
    argv = [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(file)]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as process:
        try:
            _await(home.supervisor_socket)
            yield process
        finally:
            process.terminate()
            process.wait(timeout=30)


def _await(path: Path) -> None:
    """Until it answers: the file is there a moment before somebody listens."""
    deadline = time.monotonic() + 20
    while not _answers(path):
        assert time.monotonic() < deadline, "the supervisor did not come up"
        time.sleep(0.02)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as asking:
        return asking.connect_ex(str(path)) == 0
