"""The whole api over a real database, spoken to without a socket."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from autostack.core import crypto
from autostack.core.crypto import Opener
from autostack.core.settings import Settings
from autostack.entrypoints.http import Keys, assemble
from tests.clock import FakeClock

PASSWORD = "testpassword123"
Register = Callable[[str], Awaitable["Account"]]


@dataclass(frozen=True, slots=True)
class Account:
    """A signed-in user and a client that speaks for them."""

    id: str
    client: httpx.AsyncClient
    refresh_token: str

    async def project(self, name: str = "Shop", **fields: object) -> Any:  # noqa: ANN401 - JSON
        body = {"name": name, "repo_url": "https://git.example.com/ada/shop.git", **fields}
        answer = await self.client.post("/projects", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    often = "1000/minute"
    return Settings(
        home=tmp_path,
        login_rate=often,
        register_rate=often,
        reset_rate=often,
        api_rate=often,
        edge_port=1,
    )


@pytest.fixture
def key_pair() -> tuple[str, str]:
    return crypto.generate()


@pytest.fixture
def keys(key_pair: tuple[str, str]) -> Keys:
    return Keys(secret=crypto.generate_secret(), seal=key_pair[1])


@pytest.fixture
def opener(key_pair: tuple[str, str]) -> Opener:
    return Opener([key_pair[0]])


@pytest.fixture
async def app(
    settings: Settings, keys: Keys, database_url: str, clock: FakeClock
) -> AsyncGenerator[FastAPI]:
    app = assemble(settings, keys, url=database_url, clock=clock)
    async with app.router.lifespan_context(app):
        yield app


def speak(app: FastAPI, address: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(address, 40000))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers)


@pytest.fixture
async def client(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    async with speak(app) as client:
        yield client


@pytest.fixture
async def register(app: FastAPI) -> AsyncGenerator[Register]:
    clients: list[httpx.AsyncClient] = []

    async def make(email: str) -> Account:
        client = speak(app)
        clients.append(client)
        body = {"email": email, "password": PASSWORD}
        made = await client.post("/auth/register", json=body)
        assert made.status_code == 200, made.text
        tokens = (await client.post("/auth/login", json=body)).json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        return Account(made.json()["id"], client, tokens["refresh_token"])

    yield make
    for one in clients:
        await one.aclose()


@pytest.fixture
async def ada(register: Register) -> Account:
    return await register("ada@example.com")


@pytest.fixture
async def eve(register: Register) -> Account:
    return await register("eve@example.com")
