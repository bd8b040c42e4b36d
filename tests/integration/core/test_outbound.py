"""The client for strangers' addresses, against real sockets."""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import httpx
import pytest

from autostack.core.addresses import HostRefused, IPAddress, PrivateHosts, private_hosts
from autostack.core.outbound import AnswerTooLarge, Lookup, Unresolvable, outbound_client

LISTED = private_hosts(["127.0.0.1", "hook.invalid"])


class Canary(BaseHTTPRequestHandler):
    """Answers by path and remembers who asked."""

    asked: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Host"]))
        match self.path:
            case "/away":
                self._send(302, b"", location="/internal")
            case "/large":
                self._send(200, b"x" * 5000)
            case "/packed":
                self._send(200, b"x", encoding="gzip")
            case "/slow":
                self._slowly()
            case _:
                self._send(200, b"ok")

    def _send(self, status: int, body: bytes, *, location: str = "", encoding: str = "") -> None:
        self.send_response(status)
        for name, value in (("Location", location), ("Content-Encoding", encoding)):
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _slowly(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        try:
            for _ in range(50):
                self.wfile.write(b"x")
                time.sleep(0.1)
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def canary() -> Iterator[ThreadingHTTPServer]:
    handler = type("Mine", (Canary,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def asked(server: ThreadingHTTPServer) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = server.RequestHandlerClass.asked  # type: ignore[attr-defined]
    return found


def answering(*addresses: str) -> Lookup:
    async def lookup(_host: str, _port: int) -> tuple[IPAddress, ...]:
        return tuple(ip_address(one) for one in addresses)

    return lookup


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "①②⑦.0.0.1"],
)
async def test_r01_r02_this_machine_is_never_asked(canary: ThreadingHTTPServer, host: str) -> None:
    async with outbound_client(PrivateHosts()) as client:
        with pytest.raises((HostRefused, httpx.InvalidURL)):
            await client.get(f"http://{host}:{canary.server_port}/")

    assert asked(canary) == []


@pytest.mark.parametrize("answers", [("127.0.0.1",), ("140.82.121.3", "127.0.0.1")])
async def test_r07_r08_a_name_that_leads_here_is_never_asked(
    canary: ThreadingHTTPServer, answers: tuple[str, ...]
) -> None:
    async with outbound_client(PrivateHosts(), lookup=answering(*answers)) as client:
        with pytest.raises(HostRefused):
            await client.get(f"http://hook.example.com:{canary.server_port}/")

    assert asked(canary) == []


@pytest.mark.attack("R07", "R08")
async def test_the_connection_goes_where_the_check_looked(canary: ThreadingHTTPServer) -> None:
    async with outbound_client(LISTED, lookup=answering("127.0.0.1")) as client:
        answer = await client.get(f"http://hook.invalid:{canary.server_port}/x")

    assert answer.text == "ok"
    assert str(answer.url) == f"http://hook.invalid:{canary.server_port}/x"
    assert asked(canary) == [("/x", f"hook.invalid:{canary.server_port}")]


async def test_r11_a_redirect_is_not_followed(canary: ThreadingHTTPServer) -> None:
    async with outbound_client(LISTED) as client:
        answer = await client.get(f"http://127.0.0.1:{canary.server_port}/away")

    assert answer.status_code == 302
    assert [path for path, _ in asked(canary)] == ["/away"]


@pytest.mark.parametrize("path", ["/large", "/packed"])
async def test_an_answer_that_grows_is_cut_off(canary: ThreadingHTTPServer, path: str) -> None:
    async with outbound_client(LISTED, answer_limit=1000) as client:
        with pytest.raises(AnswerTooLarge):
            await client.get(f"http://127.0.0.1:{canary.server_port}{path}")


async def test_a_host_that_drips_is_given_up(canary: ThreadingHTTPServer) -> None:
    began = time.monotonic()

    async with outbound_client(LISTED, limit=timedelta(seconds=0.5)) as client:
        with pytest.raises(httpx.TimeoutException):
            await client.get(f"http://127.0.0.1:{canary.server_port}/slow")

    assert time.monotonic() - began < 2


async def test_a_proxy_from_the_environment_is_not_used(
    canary: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    async with outbound_client(LISTED) as client:
        answer = await client.get(f"http://127.0.0.1:{canary.server_port}/")

    assert answer.status_code == 200


async def test_credentials_in_an_address_are_refused(canary: ThreadingHTTPServer) -> None:
    async with outbound_client(LISTED) as client:
        with pytest.raises(HostRefused):
            await client.get(f"http://u:p@127.0.0.1:{canary.server_port}/")

    assert asked(canary) == []


async def test_a_name_without_an_address_is_a_failure_to_connect() -> None:
    async with outbound_client(PrivateHosts(), lookup=answering()) as client:
        with pytest.raises(Unresolvable):
            await client.get("http://nowhere.example.com/")
