"""Raw requests to a live API and a live edge."""

import re
import socket
from collections.abc import Sequence
from contextlib import suppress

import pytest

from tests.platform import request
from tests.security.live import World

RECORDER = """
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SEEN = []

class Recorder(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        told = json.dumps(SEEN).encode() if self.path == "/seen" else b"recorded"
        SEEN.append([self.requestline, str(self.headers), body.decode(errors="replace")])
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)
    do_GET = do_POST = do_PUT = handle_any
    def log_message(self, *args):
        pass

ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Recorder).serve_forever()
"""


class Recorder:
    """An app behind the edge that tells every request it got."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.host, _, port = url.partition(":")
        self.port = int(port)

    def raw(self, said: bytes, *, wait: float = 1.5) -> bytes:
        return raw(("127.0.0.1", self.port), said, wait=wait)

    def seen(self) -> list[tuple[str, str, str]]:
        found = request("GET", f"http://{self.url}/seen").json()
        return [(line, head, body) for line, head, body in found if "/seen" not in line]


def raw(address: tuple[str, int], said: bytes, *, wait: float = 1.5) -> bytes:
    """What comes back until the other side hangs up or falls silent."""
    with socket.create_connection(address, timeout=wait) as line:
        line.sendall(said)
        found = b""
        with suppress(OSError):
            while piece := line.recv(65536):
                found += piece
    return found


def statuses(answer: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.[01] ([0-9]{3})", answer)]


@pytest.fixture(scope="module")
def recorder(live: World) -> Recorder:
    live.git.create("recorder", {"app.py": RECORDER, "Procfile": "web: python app.py\n"})
    project = live.eve.project("recorder", live.git.url("recorder"))
    return Recorder(live.eve.deploy(project)["url"])


def lines(*text: str) -> bytes:
    return "\r\n".join(text).encode("latin-1")


SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n"
SMUGGLING = {
    "both lengths": lines(
        "POST /a HTTP/1.1", "Host: HOST", "Content-Length: 6", "Transfer-Encoding: chunked", "",
        "0", "", SMUGGLED,
    ),
    "two lengths": lines(
        "POST /a HTTP/1.1", "Host: HOST", "Content-Length: 0", f"Content-Length: {len(SMUGGLED)}",
        "", SMUGGLED,
    ),
    "a list of lengths": lines(
        "POST /a HTTP/1.1", "Host: HOST", f"Content-Length: 0, {len(SMUGGLED)}", "", SMUGGLED
    ),
    "an unknown coding": lines(
        "POST /a HTTP/1.1", "Host: HOST", "Transfer-Encoding: xchunked", "", "0", "", SMUGGLED
    ),
    "two codings": lines(
        "POST /a HTTP/1.1", "Host: HOST", "Transfer-Encoding: chunked",
        "Transfer-Encoding: identity", "", "0", "", SMUGGLED,
    ),
    "a blank before the colon": lines(
        "POST /a HTTP/1.1", "Host: HOST", "Transfer-Encoding : chunked", "Content-Length: 5", "",
        "0", "", SMUGGLED,
    ),
    "a vertical tab": lines(
        "POST /a HTTP/1.1", "Host: HOST", "Transfer-Encoding: \x0bchunked", "Content-Length: 5",
        "", "0", "", SMUGGLED,
    ),
    "a signed length": lines(
        "POST /a HTTP/1.1", "Host: HOST", "Content-Length: +5", "", "0", "", SMUGGLED
    ),
    "a hexadecimal length": lines(
        "POST /a HTTP/1.1", "Host: HOST", "Content-Length: 0x5", "", "0", "", SMUGGLED
    ),
    "a folded header": lines(
        "POST /a HTTP/1.1", "Host: HOST", "X-A: b", " Transfer-Encoding: chunked",
        "Content-Length: 5", "", "0", "", SMUGGLED,
    ),
    "a chunk extension with a line feed": (
        b"POST /a HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5;\nxx\r\nhello\r\n0\r\n\r\n" + SMUGGLED.encode()
    ),
    "a chunk size that overflows": (
        b"POST /a HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"ffffffffffffffff1\r\n" + SMUGGLED.encode()
    ),
    "line feeds alone": (
        b"POST /a HTTP/1.1\nHost: HOST\nContent-Length: 0\nX: y\n\n" + SMUGGLED.encode()
    ),
    "a line feed inside a header": (
        b"POST /a HTTP/1.1\r\nHost: HOST\r\nX: y\nContent-Length: 5\r\n\r\n" + SMUGGLED.encode()
    ),
    "a null byte": b"POST /a HTTP/1.1\r\nHost: HOST\r\nX: \0y\r\nContent-Length: 0\r\n\r\n",
}  # fmt: skip


@pytest.mark.attack("X01", "X02")
@pytest.mark.parametrize("case", SMUGGLING)
def test_what_the_edge_takes_for_one_request_is_one_for_the_app(
    world: World, recorder: Recorder, case: str
) -> None:
    """A pipelined second request is answered as one; it is never hidden in the first's body."""
    before = len(recorder.seen())

    answer = recorder.raw(SMUGGLING[case].replace(b"HOST", recorder.url.encode()))

    arrived = recorder.seen()[before:]
    assert 1 <= len(statuses(answer)) <= 2, answer
    assert len(arrived) <= len(statuses(answer)), (answer, arrived)
    assert not [head for _, head, _ in arrived if "smuggled" in head]
    assert world.platform.is_ready


@pytest.mark.attack("X01", "X02")
@pytest.mark.parametrize("case", SMUGGLING)
def test_the_api_answers_one_request_or_refuses(world: World, case: str) -> None:
    said = SMUGGLING[case].replace(b"HOST", b"localhost").replace(b"/smuggled", b"/health")

    answer = raw(("127.0.0.1", world.platform.port), said)

    found = statuses(answer)
    assert found or answer == b""
    assert all(status < 500 for status in found), answer


IDENTITY = (
    "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port",
    "X-Forwarded-Server", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Groups",
    "X-Forwarded-Preferred-Username", "X-Forwarded-Prefix", "X-Forwarded-Tls-Client-Cert",
    "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "Fastly-Client-IP",
    "X-Client-IP", "X-Cluster-Client-IP", "X-Remote-User", "Remote-User", "X-WEBAUTH-USER",
    "X-Auth-Request-User", "X-Authenticated-User", "X-Autostack-Ask", "X-Autostack-Site",
    "X-Autostack-Key", "X-Autostack-Visit", "X-Forwarded_For", "X_Remote_User", "REMOTE_USER",
)  # fmt: skip
LIE = "6.6.6.6"


@pytest.mark.attack("X04", "X20", "A34")
@pytest.mark.parametrize("name", IDENTITY)
def test_who_a_client_says_it_is_does_not_reach_an_app(
    world: World, recorder: Recorder, name: str
) -> None:
    before = len(recorder.seen())

    recorder.raw(
        lines("GET /who HTTP/1.1", f"Host: {recorder.url}", f"{name}: {LIE}", "Connection: close",
              "", "")
    )  # fmt: skip

    [(_, head, _)] = recorder.seen()[before:]
    assert LIE not in head, head
    assert "X-Forwarded-For: 127.0.0.1\n" in head
    assert world.platform.is_ready


@pytest.mark.attack("X03")
def test_a_client_cannot_have_our_headers_removed(world: World, recorder: Recorder) -> None:
    before = len(recorder.seen())

    recorder.raw(
        lines(
            "GET /who HTTP/1.1",
            f"Host: {recorder.url}",
            "Connection: close, X-Forwarded-For, X-Forwarded-Host, X-Real-Ip, X-Forwarded-Proto",
            "",
            "",
        )
    )

    [(_, head, _)] = recorder.seen()[before:]
    for name in ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "X-Forwarded-Proto"):
        assert f"{name}: " in head, head
    assert world.platform.is_ready


@pytest.mark.attack("X12", "X13", "X18")
@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("nobody.example", "/"),
        ("", "/"),
        ("HOST.", "/"),
        ("HOST:1", "/"),
        ("*", "/"),
        ("{http.request.host}", "/"),
        ("127.0.0.1", "/"),
        ("HOST, evil.example", "/"),
        ("HOST", "/../../smuggled"),
        ("HOST", "//evil.example/smuggled"),
        ("HOST", "/%2e%2e/%2e%2e/smuggled"),
        ("HOST", "http://evil.example/smuggled"),
    ],
)
def test_a_host_leads_to_its_app_or_nowhere(
    world: World, recorder: Recorder, host: str, path: str
) -> None:
    named = host.replace("HOST", recorder.host)

    answer = recorder.raw(
        lines(f"GET {path} HTTP/1.1", f"Host: {named}", "Connection: close", "", "")
    )

    [status] = statuses(answer)
    assert status in {200, 301, 308, 400, 404, 421}, answer
    assert status != 200 or b"recorded" in answer, answer
    assert VICTIMS_ANSWER not in answer
    assert world.platform.is_ready


VICTIMS_ANSWER = b"v1 AS_CANARY"


@pytest.mark.attack("O09", "O10", "A24")
@pytest.mark.parametrize(
    "headers",
    [
        ["Host: evil.example"],
        ["Host: localhost.evil.example"],
        ["Host: localhost", "Host: evil.example"],
        ["Host: evil.example", "X-Forwarded-Host: localhost"],
        ["Host: localhost@evil.example"],
        ["Host: localhost/evil.example"],
        [],
    ],
)
@pytest.mark.parametrize("path", ["/", "/dashboard", "/openapi.json", "/auth/me"])
def test_the_api_answers_to_its_own_names_only(
    world: World, path: str, headers: Sequence[str]
) -> None:
    said = lines(f"GET {path} HTTP/1.1", *headers, "Connection: close", "", "")

    answer = raw(("127.0.0.1", world.platform.port), said)

    assert statuses(answer)[0] in {400, 421}, answer
    assert b"evil.example" not in answer


@pytest.mark.attack("O10", "O07")
@pytest.mark.parametrize(
    "said",
    [
        lines("GET http://evil.example/ HTTP/1.1", "Host: localhost", "", ""),
        lines("GET / HTTP/1.1", "Host: localhost", "X-Forwarded-Host: evil.example", "", ""),
        lines("GET / HTTP/1.1", "Host: localhost", "Forwarded: host=evil.example", "", ""),
        lines("GET //evil.example/%2f.. HTTP/1.1", "Host: localhost", "", ""),
        lines("GET /%0d%0aSet-Cookie:%20a=b HTTP/1.1", "Host: localhost", "", ""),
        lines("GET /dashboard/%0d%0aLocation:%20evil.example HTTP/1.1", "Host: localhost", "", ""),
        lines("GET /dashboard/..%2f..%2fetc/passwd HTTP/1.1", "Host: localhost", "", ""),
        lines("GET /\\evil.example HTTP/1.1", "Host: localhost", "", ""),
    ],
)
def test_an_answer_leads_to_no_other_host(world: World, said: bytes) -> None:
    answer = raw(("127.0.0.1", world.platform.port), said)

    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert b"evil.example" not in head, head
    assert b"set-cookie" not in head
    assert statuses(answer)[0] < 500
    assert b"root:" not in answer


PATHS = {
    "another host": "http://127.0.0.1:{port}/",
    "a host after slashes": "//127.0.0.1:{port}/x",
    "a user's host": "@127.0.0.1:{port}/",
    "a backslash": "/\\127.0.0.1:{port}/",
    "a command": "/h; touch {mark} #$(touch {mark})",
    "a second header": "/\r\nX-Evil: y\r\nHost: evil.example",
    "a method": "* HTTP/1.1\r\nCONNECT 127.0.0.1:{port}",
    "a long one": "/" + "x" * 290,
}


@pytest.mark.attack("B11", "B12", "R15")
@pytest.mark.parametrize("case", PATHS)
def test_a_health_path_is_a_path_of_the_app(world: World, word: str, case: str) -> None:
    world.git.create(word, {"app.py": RECORDER, "Procfile": "web: python app.py\n"})
    path = PATHS[case].format(**world.names)
    body = {"name": word, "repo_url": world.git.url(word), "overrides": {"check_path": path}}
    made = world.eve.ask("POST", "/projects", body)
    if made.status == 422:
        return

    found = world.eve.attempt(made.json()["id"])

    assert found["status"] in {"success", "failed"}
    if found["status"] == "success":
        asked = Recorder(found["url"]).seen()
        assert asked, "the app was asked itself"
        assert not [head for _, head, _ in asked if "X-Evil" in head or "evil.example" in head]
    world.eve.call("DELETE", f"/projects/{made.json()['id']}")


@pytest.mark.attack("C06")
def test_a_header_of_a_framework_opens_nothing(world: World) -> None:
    for value in (
        "middleware",
        "src/middleware:src/middleware:src/middleware",
        "pages/_middleware",
    ):
        headers = {"x-middleware-subrequest": value}
        assert request("GET", f"{world.platform.api}/projects", headers=headers).status == 401


@pytest.mark.attack("Q05")
def test_forms_and_ranges_are_not_taken_apart(world: World) -> None:
    form = b"".join(
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' for _ in range(15_000)
    )
    kinds = [
        "multipart/form-data; boundary=b",
        "multipart/form-data",
        "application/json; a=" + "x" * 9000,
    ]
    for kind in kinds:
        said = lines("POST /auth/login HTTP/1.1", "Host: localhost", f"Content-Type: {kind}",
                     f"Content-Length: {len(form)}", "Connection: close", "", "")  # fmt: skip
        assert 400 <= statuses(raw(("127.0.0.1", world.platform.port), said + form))[0] < 500
    ranges = ",".join(f"{n}-{n}" for n in range(5000))
    reply = request("GET", f"{world.platform.api}/dashboard", headers={"Range": f"bytes={ranges}"})
    assert reply.status in {200, 400, 416, 431}
    assert len(reply.body) < 1_000_000
