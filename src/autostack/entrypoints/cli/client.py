"""The API as the commands see it: JSON in and out, errors as CliError, a session that renews."""

import json
import os
import time
import weakref
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from autostack.entrypoints.cli import store
from autostack.entrypoints.cli.errors import CliError, Missing, NotSignedIn, Unreachable
from autostack.entrypoints.cli.store import Login

if TYPE_CHECKING:
    import httpx  # costs 100 ms: only commands that talk to a server pay for it

TIMEOUT = 90.0
STREAM_TIMEOUT = 60.0
UNAUTHORIZED = 401
NOT_FOUND = 404
OK = 200
RESTARTING = frozenset({502, 503, 504})
PATIENCE = 60.0
"""Seconds a stream is tried again after it was lost."""
REOPEN = 0.5

Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One server-sent event."""

    kind: str
    id: str
    data: Json


class Client:
    """One server. `token` is given (AUTOSTACK_TOKEN), or comes from the sign-in kept on disk."""

    def __init__(self, server: str, *, token: str | None = None) -> None:
        import httpx  # noqa: PLC0415 - see above

        self.server = server.rstrip("/")
        self._token = token or os.environ.get("AUTOSTACK_TOKEN")
        self._login = store.servers().get(self.server)
        self._http = httpx.Client(base_url=self.server, timeout=TIMEOUT, trust_env=False)
        # A command is over when nobody holds its client any more.
        weakref.finalize(self, self._http.close)

    def get(self, path: str, **query: object) -> Json:
        return self._json("GET", path, query={k: v for k, v in query.items() if v is not None})

    def post(self, path: str, body: object = None) -> Json:
        return self._json("POST", path, body=body)

    def put(self, path: str, body: object) -> Json:
        return self._json("PUT", path, body=body)

    def patch(self, path: str, body: object) -> Json:
        return self._json("PATCH", path, body=body)

    def upload(self, path: str, file: IO[bytes]) -> Json:
        """Send a file as it is, from its beginning."""
        return self._json("POST", path, file=file)

    def delete(self, path: str) -> Json:
        return self._json("DELETE", path)

    def pages(self, path: str, **query: object) -> Iterator[Json]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.get(path, **query, cursor=cursor)
            yield from page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return

    def login(self, email: str, password: str, *, code: str | None = None) -> None:
        """The device is told from others by what an earlier sign-in of this user gave us."""
        known = {"code": code, "device_token": store.device(self.server, email)}
        body = {"email": email, "password": password} | {k: v for k, v in known.items() if v}
        pair = self.post("/auth/login", body)
        self._keep(email, pair)
        store.remember_device(self.server, email, pair["device_token"])

    def logout(self) -> None:
        if self._login is not None:
            self.post("/auth/logout", {"refresh_token": self._login.refresh_token})
        store.forget(self.server)

    def stream(self, path: str, **query: str) -> Iterator[Sent]:
        """Server-sent events until the server says `end`; reopened where it broke off, also over
        a restart of the server.
        """
        last, lost_at = "", -PATIENCE
        while True:
            try:
                with self._opened(path, query, last) as lines:
                    lost_at = time.monotonic()
                    for sent in _events(lines):
                        last = sent.id or last
                        yield sent
                        lost_at = time.monotonic()
                        if sent.kind == "end":
                            return
            except Unreachable:
                if time.monotonic() > lost_at + PATIENCE:
                    raise
            time.sleep(REOPEN)

    @contextmanager
    def _opened(self, path: str, query: Mapping[str, str], last: str) -> Generator[Iterator[str]]:
        headers = {"Accept": "text/event-stream", **self._authorization()}
        if last:
            headers["Last-Event-ID"] = last
        with (
            _reaching(self.server),
            self._http.stream(
                "GET", path, params=query, headers=headers, timeout=STREAM_TIMEOUT
            ) as answer,
        ):
            if answer.status_code == UNAUTHORIZED and self._renewed():
                yield iter(())
                return
            if answer.status_code in RESTARTING:
                raise Unreachable(f"{self.server} answers {answer.status_code}.", "Try again.")
            if answer.status_code != OK:
                answer.read()
                raise _problem(answer)
            yield answer.iter_lines()

    def _json(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, object] | None = None,
        file: IO[bytes] | None = None,
    ) -> Json:
        answer = self._send(method, path, body, query, file)
        if answer.status_code == UNAUTHORIZED and not path.startswith("/auth/") and self._renewed():
            answer = self._send(method, path, body, query, file)
        if not answer.is_success:
            raise _problem(answer)
        return answer.json() if answer.content else None

    def _send(
        self,
        method: str,
        path: str,
        body: object,
        query: Mapping[str, object] | None,
        file: IO[bytes] | None = None,
    ) -> "httpx.Response":
        if file is not None:
            file.seek(0)
        with _reaching(self.server):
            return self._http.request(
                method,
                path,
                json=body,
                content=file,
                params={key: str(value) for key, value in (query or {}).items()},
                headers=self._authorization(),
            )

    def _authorization(self) -> dict[str, str]:
        token = self._token or (self._login.access_token if self._login else None)
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _renewed(self) -> bool:
        if self._token is not None or self._login is None:
            return False
        with store.locked():
            known = store.servers().get(self.server)
            if known is not None and known != self._login:
                # Another command of this user renewed it meanwhile.
                self._login = known
                return True
            email, body = self._login.email, {"refresh_token": self._login.refresh_token}
            self._login = replace(self._login, access_token="")
            answer = self._send("POST", "/auth/refresh", body, None)
            if answer.is_success:
                self._keep(email, answer.json())
            return answer.is_success

    def _keep(self, email: str, pair: Mapping[str, str]) -> None:
        self._login = Login(
            email=email, access_token=pair["access_token"], refresh_token=pair["refresh_token"]
        )
        store.remember(self.server, self._login)


@contextmanager
def _reaching(server: str) -> Generator[None]:
    import httpx  # noqa: PLC0415 - already loaded by the client

    try:
        yield
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise Unreachable(
            f"{server!r} is not a server address.", "Use http(s)://host[:port]."
        ) from None
    except httpx.TransportError as error:
        local = urlsplit(server).hostname in {"127.0.0.1", "localhost", "::1"}
        hint = "Start it with `autostack up`." if local else "Check the address and your network."
        reason = (
            "did not answer in time"
            if isinstance(error, httpx.TimeoutException)
            else "cannot be reached"
        )
        raise Unreachable(f"{server} {reason}.", hint) from None


def _problem(answer: "httpx.Response") -> CliError:
    try:
        told = answer.json()
        message, hint = str(told["detail"]), str(told.get("hint") or "")
        code = str(told.get("code") or "")
        if code in {"not_signed_in", "session_ended"}:
            hint = ""
    except (ValueError, KeyError, TypeError):
        message, hint, code = f"The server answered {answer.status_code}.", "", ""
    if answer.status_code == UNAUTHORIZED:
        return NotSignedIn(message, hint or "Sign in with `autostack login`.", code=code)
    return (Missing if answer.status_code == NOT_FOUND else CliError)(message, hint, code=code)


def _events(lines: Iterator[str]) -> Iterator[Sent]:
    kind, seen, data = "", "", list[str]()
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "id":
            seen = value
        elif name == "data":
            data.append(value)
        elif not line and data:
            yield Sent(kind=kind, id=seen, data=json.loads("\n".join(data)))
            kind, data = "", []
