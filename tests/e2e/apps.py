"""Applications that misbehave on purpose, as the files of a repository."""

from collections.abc import Mapping


def hard_coded_port(version: str, port: int = 5000) -> Mapping[str, str]:
    """Ignores $PORT, so two versions want the same one."""
    return {
        "app.py": f"""
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"{version}\\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer.request_queue_size = 256
ThreadingHTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
""",
        "Procfile": "web: python app.py\n",
        "requirements.txt": "",
    }


def slow_build(seconds: int) -> Mapping[str, str]:
    """A build that sleeps, with children of its own."""
    script = f"sh -c 'sleep {seconds} & sleep {seconds}; wait'"
    return {
        "package.json": (
            '{"name": "slow", "version": "1.0.0", "scripts": '
            f'{{"build": "{script}", "start": "node app.js"}}}}'
        ),
        "app.js": "require('http').createServer((q, r) => r.end('ok')).listen(process.env.PORT)\n",
    }


def never_listens() -> Mapping[str, str]:
    return {
        "app.py": "import time\nprint('thinking', flush=True)\ntime.sleep(3600)\n",
        "Procfile": "web: python app.py\n",
        "requirements.txt": "",
    }


def crashes(line: str = "import nowhere_to_be_found") -> Mapping[str, str]:
    return {"app.py": f"{line}\n", "Procfile": "web: python app.py\n", "requirements.txt": ""}


def tells(version: str, *variables: str) -> Mapping[str, str]:
    """Answers with its version and what the variables are set to; needs each of them."""
    read = ", ".join(f"os.environ[{name!r}]" for name in variables)
    return {
        "app.py": f"""
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SAID = " ".join([{version!r}, {read}])
print("started", flush=True)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{{SAID}}\\n".encode())

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
""",
        "Procfile": "web: python app.py\n",
        "requirements.txt": "",
    }


def erring(version: str, *, every: int = 0, slow_seconds: float = 0) -> Mapping[str, str]:
    """Answers every so-manieth request to `/` with a 500, and is slow for its first seconds.
    `/health` is always well.
    """
    return {
        "app.py": f"""
import itertools
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BEGUN, NUMBERS = time.monotonic(), itertools.count(1)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        number = next(NUMBERS) if self.path == "/" else 0
        if self.path == "/" and time.monotonic() - BEGUN < {slow_seconds}:
            time.sleep(0.5)
        bad = {every} and number and number % {every or 1} == 0
        body = b"{version}\\n"
        self.send_response(500 if bad else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer.request_queue_size = 256
ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
""",
        "Procfile": "web: python app.py\n",
        "requirements.txt": "",
        "autostack.yaml": "check: /health\n",
    }
