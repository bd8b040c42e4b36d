"""Applications that fail in ways of their own, as the files of a repository."""

from collections.abc import Mapping

SERVER = """
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BEGUN = time.monotonic()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status = answer(self.path)
        body = b"{version}\\n"
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def answer(path):
    return 200


{before}
ThreadingHTTPServer.request_queue_size = 256
server = ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler)
server.serve_forever()
"""


def app(version: str, before: str = "") -> Mapping[str, str]:
    """Serves its version; `before` runs first, at the top level."""
    return {
        "app.py": SERVER.format(version=version, before=before),
        "Procfile": "web: python app.py\n",
        "requirements.txt": "",
    }


def later(seconds: float, act: str) -> str:
    """`act`, a statement, some time after the start."""
    return f"def act():\n    {act}\n\n\nthreading.Timer({seconds}, act).start()\n"


BINDS_LATE = "time.sleep(4)\n"
LIES = """
def answer(path):
    return 200 if time.monotonic() - BEGUN < 2 else 500
"""
"""Well while it is checked, and broken for everybody from then on."""
EXITS = later(5, "os._exit(3)")
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
GETS_READY = """
open("/tmp/begun", "w").close()


def answer(path):
    return 200 if os.path.exists("/tmp/ready") else 500


threading.Timer(4, lambda: open("/tmp/ready", "w").close()).start()
"""
READY = {"autostack.yaml": "check: {command: test -f /tmp/begun -a -f /tmp/ready}\n"}
"""Says when it is, and only inside."""
LEAKS = """
def leak():
    kept = []
    while True:
        kept.append(b"x" * 2**24)
        time.sleep(0.02)


threading.Timer(1.5, leak).start()
"""


def takes(seconds: float) -> str:
    """3 MB a second for so long."""
    return f"""
def take():
    kept = []
    while time.monotonic() - BEGUN < {seconds}:
        kept.append(b"x" * (3 * 2**20))
        time.sleep(1)
    time.sleep(3600)


threading.Thread(target=take, daemon=True).start()
"""


FLOODS = """
def flood():
    line = b"y" * 1023 + b"\\n"
    while time.monotonic() - BEGUN < 8:
        begun = time.monotonic()
        for _ in range(50):
            os.write(1, line * 100)
        time.sleep(max(0, 0.1 - (time.monotonic() - begun)))


threading.Thread(target=flood, daemon=True).start()
"""
"""50 MB a second, for eight of them."""
OPENS = "held = [open('/dev/null') for _ in range(10_000)]\n"


def forks(seconds: int) -> str:
    """Children in sessions of their own, that nobody waits for."""
    return f"""
import subprocess
for _ in range(3):
    subprocess.Popen(["sh", "-c", "sleep {seconds} & sleep {seconds}"], start_new_session=True)
"""
