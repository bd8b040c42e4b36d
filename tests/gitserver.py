"""A real Git server on loopback: smart HTTP by `git http-backend`, with ways to misbehave.

with GitServer(folder) as server:
    server.create("shop", {"app.py": "…"})
    server.url("shop")                      # http://127.0.0.1:<port>/shop.git
    server.commit("shop", {"app.py": "…"})  # on main; returns the new SHA
"""

import base64
import gzip
import os
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

GIT = shutil.which("git") or "git"
Manner = Literal["honest", "tarpit", "drip", "broken", "error", "redirect", "cut"]


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link in a commit."""

    target: str


@dataclass(frozen=True, slots=True)
class Program:
    """A file with the executable bit."""

    text: str


class GitServer:
    """Bare repositories below `root`, served while the context is open.

    `token` opens every repository (basic auth, any user name). `manners` makes a repository
    misbehave: `tarpit` accepts and never answers, `drip` sends a byte a second, `broken` speaks
    another language, `error` answers 503, `redirect` leads to `elsewhere`, `cut` stops halfway
    through the pack. `asked` lists the requests that came in. While `held` says so, a request
    waits for its answer, half a minute at most: who asks can then be looked at.
    """

    def __init__(
        self,
        root: Path,
        *,
        token: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.root = root
        self.host = host
        self.token = token
        self.manners: dict[str, Manner] = {}
        self.elsewhere = ""
        self.asked: list[str] = []
        self.held: Callable[[], bool] = lambda: False
        self.ending = threading.Event()
        root.mkdir(parents=True, exist_ok=True)
        self._http = _Http((host, port), partial(_Handler, self))
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self._scheme = "https" if tls else "http"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ending.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    def url(self, name: str) -> str:
        return f"{self._scheme}://{self.host}:{self.port}/{name}.git"

    def folder(self, name: str) -> Path:
        return self.root / f"{name}.git"

    def create(self, name: str, files: Mapping[str, object] | None = None) -> str:
        """A repository with one commit on main; without files it stays empty."""
        folder = self.folder(name)
        git("init", "--quiet", "--bare", "--initial-branch=main", str(folder))
        return self.commit(name, files, "Begin") if files is not None else ""

    def commit(
        self,
        name: str,
        files: Mapping[str, object],
        message: str = "Change",
        *,
        branch: str = "main",
        remove: Sequence[str] = (),
    ) -> str:
        """Put files (text, bytes, Link, Program) on a branch; returns the commit's SHA."""
        folder = self.folder(name)
        ref = f"refs/heads/{branch}"
        old = git("rev-parse", "--verify", "--quiet", ref, folder=folder, check=False).strip()
        stream = _fast_import(ref, old, files, message, remove)
        git("fast-import", "--quiet", "--force", "--date-format=now", folder=folder, given=stream)
        return git("rev-parse", ref, folder=folder).strip()

    def tag(self, name: str, tag: str, target: str = "main", *, message: str | None = None) -> None:
        annotated = ("-m", message) if message else ()
        git("tag", *annotated, tag, target, folder=self.folder(name))


def git(
    *args: str, folder: Path | None = None, given: bytes | None = None, check: bool = True
) -> str:
    """Git as the owner of the server's repositories uses it."""
    done = subprocess.run(
        (GIT, *args),
        input=given,
        env=_environ(folder),
        capture_output=True,
        check=False,
        timeout=120,
    )
    if check and done.returncode:
        raise RuntimeError(f"git {args[0]}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode()


def _environ(folder: Path | None) -> dict[str, str]:
    who = {"NAME": "Ada Lovelace", "EMAIL": "ada@example.com"}
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        **{
            f"GIT_{role}_{key}": value
            for role in ("AUTHOR", "COMMITTER")
            for key, value in who.items()
        },
        **({"GIT_DIR": str(folder)} if folder else {}),
    }


def _fast_import(
    ref: str, old: str, files: Mapping[str, object], message: str, remove: Sequence[str]
) -> bytes:
    lines = [
        f"commit {ref}\n".encode(),
        b"author Ada Lovelace <ada@example.com> now\n",
        b"committer Ada Lovelace <ada@example.com> now\n",
        _data(message.encode()),
    ]
    if old:
        lines.append(f"from {old}\n".encode())
    lines += [b"D " + _path(path) + b"\n" for path in remove]
    for path, content in files.items():
        mode, data = _content(content)
        lines += [b"M " + mode + b" inline " + _path(path) + b"\n", _data(data)]
    return b"".join(lines)


def _content(content: object) -> tuple[bytes, bytes]:
    match content:
        case Link(target):
            return b"120000", os.fsencode(target)
        case Program(text):
            return b"100755", text.encode()
        case bytes():
            return b"100644", content
        case _:
            return b"100644", str(content).encode()


def _path(path: str) -> bytes:
    quoted = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + quoted + b'"'


def _data(data: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(data), data)


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is what some tests are about."""
        if not isinstance(sys.exception(), ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece, or each answer waits 40 ms for an acknowledgement
    disable_nagle_algorithm = True

    def __init__(self, server: GitServer, *args: object) -> None:
        self.git = server
        super().__init__(*args)  # type: ignore[arg-type]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.git.asked.append(f"{self.command} {self.path}")
        name = self.path.lstrip("/").partition(".git")[0]
        if not self._let_in():
            self._plain(401, b"who are you?\n", {"WWW-Authenticate": 'Basic realm="git"'})
            return
        self._hold()
        manner = self.git.manners.get(name, "honest")
        if manner == "honest" or (manner == "cut" and self.command == "GET"):
            self._backend()
        else:
            self._misbehave(manner)

    def _hold(self, limit: float = 30) -> None:
        until = time.monotonic() + limit
        while self.git.held() and time.monotonic() < until:
            self.git.ending.wait(0.01)

    def _let_in(self) -> bool:
        if self.git.token is None:
            return True
        kind, _, pair = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return False
        return base64.b64decode(pair).decode().partition(":")[2] == self.git.token

    def _misbehave(self, manner: Manner) -> None:
        self.close_connection = True
        match manner:
            case "tarpit":
                self.git.ending.wait(60)
            case "drip":
                self._drip()
            case "broken":
                self._plain(200, b"<html>hello</html>")
            case "redirect":
                self._plain(302, b"", {"Location": self.git.elsewhere})
            case "cut":
                self._backend(cut=True)
            case _:
                self._plain(503, b"busy\n")

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
        self.send_header("Content-Length", "100000")
        self.end_headers()
        try:
            while not self.git.ending.is_set():
                self.wfile.write(b"0")
                self.wfile.flush()
                time.sleep(1)
        except OSError:
            return

    def _plain(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _backend(self, *, cut: bool = False) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        given = self.rfile.read(length)
        if self.headers.get("Content-Encoding") == "gzip":
            given = gzip.decompress(given)
        done = subprocess.run(
            (GIT, "http-backend"),
            input=given,
            env=self._cgi(len(given)),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=300,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)

    def _cgi(self, length: int) -> dict[str, str]:
        path, _, query = self.path.partition("?")
        return {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_PROJECT_ROOT": str(self.git.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "REMOTE_ADDR": "127.0.0.1",
        }
