"""Two OpenID Connect providers: one that others wrote, in a process of its own, and one of ours
that lies when told to.
"""

import json
import secrets
import socket
import subprocess
import sys
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Generator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.platform import free_ports, until

CLIENT, SECRET = "autostack", "the secret there"


@contextmanager
def mock() -> Generator[str]:
    """oidc-provider-mock; gives its issuer. Whoever is named at its form is signed in."""
    (port,) = free_ports(1)
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as one:
        try:
            until(lambda: _listens(port), what="oidc-provider-mock")
            yield f"http://127.0.0.1:{port}"
        finally:
            one.terminate()


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


class Provider:
    """Speaks OpenID Connect, and below /github GitHub's OAuth. It checks what a good one checks:
    client, callback, PKCE, each code once. `claims` replace those of the next ID tokens, `key`
    signs them; `asked` counts the codes that were brought.
    """

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.published = self.key
        self.claims: dict[str, Any] = {}
        self.algorithm = "RS256"
        self.configuration: dict[str, Any] = {}
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.asked = 0
        self._codes: dict[str, dict[str, Any]] = {}
        self._people: dict[str, dict[str, Any]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def github(self) -> str:
        return f"{self.issuer}/github"

    @contextmanager
    def running(self) -> Generator["Provider"]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def allow(self, url: str, *, subject: str, **person: object) -> tuple[str, str]:
        """What a browser comes back with after this person signed in at `url`: code and state."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["client_id"] == CLIENT
        assert query["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = {**query, "person": {"sub": subject, **person}}
        return code, query["state"]

    def answer(self, method: str, path: str, form: dict[str, str], auth: str) -> tuple[int, bytes]:
        if path in self.answers:
            return self.answers[path]
        known: dict[str, Callable[[], object]] = {
            "/.well-known/openid-configuration": self._configuration,
            "/jwks": self._keys,
            "/userinfo": lambda: self._people.get(auth.removeprefix("Bearer ")),
            "/github/api/v3/user": lambda: self._github_user(auth),
            "/github/api/v3/user/emails": lambda: self._github_emails(auth),
        }
        found = known[path]() if path in known else None
        if method == "POST" and path in {"/token", "/github/login/oauth/access_token"}:
            return self._swap(form, auth)
        return (404, b"{}") if found is None else (200, json.dumps(found).encode())

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **self.configuration,
        }

    def _keys(self) -> dict[str, Any]:
        numbers = self.published.public_key().public_numbers()
        public = {"kty": "RSA", "n": _base64(numbers.n), "e": _base64(numbers.e)}
        return {"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]}

    def _github_user(self, auth: str) -> dict[str, Any] | None:
        person = self._people.get(auth.removeprefix("Bearer "))
        return None if person is None else {"id": person["sub"], "login": "ada"}

    def _github_emails(self, auth: str) -> list[dict[str, Any]]:
        person = self._people.get(auth.removeprefix("Bearer "), {})
        return [
            {"email": "old@example.com", "primary": False, "verified": True},
            {"email": person.get("email"), "primary": True, "verified": True},
        ]

    def _swap(self, form: dict[str, str], auth: str) -> tuple[int, bytes]:
        self.asked += 1
        wanted = self._codes.pop(form.get("code", ""), None)
        if wanted is None or not _right(wanted, form, auth):
            return 400, b'{"error": "invalid_grant"}'
        token = secrets.token_urlsafe(16)
        self._people[token] = wanted["person"]
        told = {"access_token": token, "token_type": "Bearer"}
        if "nonce" in wanted:
            told["id_token"] = self._id_token(wanted)
        return 200, json.dumps(told).encode()

    def _id_token(self, wanted: dict[str, Any]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": wanted["nonce"],
            **wanted["person"],
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        key: Any = {"RS256": self.key, "none": None}.get(self.algorithm, SECRET * 3)
        return jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": "one"})


def _base64(number: int) -> str:
    octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return urlsafe_b64encode(octets).decode().rstrip("=")


def _right(wanted: dict[str, Any], form: dict[str, str], auth: str) -> bool:
    if auth.startswith("Basic "):
        name, _, secret = b64decode(auth.removeprefix("Basic ")).decode().partition(":")
        known = (name, secret) == (CLIENT, SECRET.replace(" ", "%20"))
    else:
        known = (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
    digest = sha256(form.get("code_verifier", "").encode()).digest()
    challenge = urlsafe_b64encode(digest).decode().rstrip("=")
    return (
        known
        and challenge == wanted["code_challenge"]
        and form.get("redirect_uri") == wanted["redirect_uri"]
    )


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET", {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self._answer("POST", {name: found[0] for name, found in parse_qs(body).items()})

        def _answer(self, method: str, form: dict[str, str]) -> None:
            auth = self.headers.get("authorization", "")
            status, body = provider.answer(method, self.path, form, auth)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    return Handler
