"""Codes of an authenticator, and recovery codes."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pyotp.totp import TOTP
from sqlalchemy import text

from autostack.core.db import Database
from tests.clock import FakeClock
from tests.integration.api.accounts.letters import signed_in
from tests.integration.api.conftest import PASSWORD, Account

ADA = "ada@example.com"


class Phone:
    """An authenticator, showing the code of the test's time."""

    def __init__(self, account: Account, clock: FakeClock, secret: str) -> None:
        self._account, self._clock = account, clock
        self.secret = secret

    def code(self) -> str:
        return TOTP(self.secret).at(self._clock())

    def next(self) -> str:
        self._clock.advance(timedelta(seconds=30))
        return self.code()


async def set_up(ada: Account, clock: FakeClock) -> tuple[Phone, list[str]]:
    made = (await ada.client.post("/auth/totp", json={"password": PASSWORD})).json()
    phone = Phone(ada, clock, made["secret"])
    answer = await ada.client.post("/auth/totp/confirm", json={"code": phone.code()})
    assert answer.status_code == 200, answer.text
    return phone, answer.json()["recovery_codes"]


async def me(ada: Account) -> Any:  # noqa: ANN401 - JSON
    return (await ada.client.get("/auth/me")).json()


async def test_with_a_second_factor_the_password_alone_opens_nothing(
    ada: Account, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    phone, _ = await set_up(ada, clock)

    login = {"email": ADA, "password": PASSWORD}
    alone = await client.post("/auth/login", json=login)
    wrong = await client.post("/auth/login", json={**login, "code": "000000"})
    both = await client.post("/auth/login", json={**login, "code": phone.next()})

    assert (alone.status_code, alone.json()["code"]) == (401, "second_factor_needed")
    assert (wrong.status_code, wrong.json()["code"]) == (401, "second_factor_invalid")
    assert both.status_code == 200
    assert (await me(ada))["second_factor"] is True


async def test_nobody_hears_of_the_second_factor_without_the_password(
    ada: Account, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    await set_up(ada, clock)

    body = {"email": ADA, "password": "a guess of mine"}
    answer = await client.post("/auth/login", json=body)

    assert answer.json()["code"] == "credentials_invalid"


async def test_a_code_is_good_once(
    ada: Account, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    phone, _ = await set_up(ada, clock)
    assert not await signed_in(client, ADA, PASSWORD, code=phone.code()), "it confirmed already"
    code = phone.next()

    at_once = await asyncio.gather(*(signed_in(client, ADA, PASSWORD, code=code) for _ in range(4)))

    assert sorted(at_once) == [False, False, False, True]


async def test_a_clock_that_is_half_a_minute_off_is_forgiven(
    ada: Account, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    phone, _ = await set_up(ada, clock)
    clock.advance(timedelta(minutes=5))

    assert not await signed_in(
        client, ADA, PASSWORD, code=TOTP(phone.secret).at(clock() - timedelta(seconds=65))
    )
    early = TOTP(phone.secret).at(clock() + timedelta(seconds=30))
    assert await signed_in(client, ADA, PASSWORD, code=early)


async def test_codes_cannot_be_guessed(
    ada: Account, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    phone, _ = await set_up(ada, clock)
    for guess in range(5):
        assert not await signed_in(client, ADA, PASSWORD, code=f"00000{guess}")

    login = {"email": ADA, "password": PASSWORD, "code": phone.next()}

    assert (await client.post("/auth/login", json=login)).status_code == 423


async def test_a_recovery_code_lets_in_once(
    ada: Account, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    _, codes = await set_up(ada, clock)

    assert await signed_in(client, ADA, PASSWORD, code=codes[0].upper().replace("-", " "))
    assert not await signed_in(client, ADA, PASSWORD, code=codes[0])
    assert len(set(codes)) == 10
    assert (await me(ada))["recovery_codes_left"] == 9


async def test_new_recovery_codes_need_password_and_code_and_replace_the_old(
    ada: Account, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    phone, codes = await set_up(ada, clock)
    path = "/auth/totp/recovery-codes"

    without = await ada.client.post(path, json={"password": PASSWORD, "code": "000000"})
    made = await ada.client.post(path, json={"password": PASSWORD, "code": phone.next()})

    assert (without.status_code, without.json()["code"]) == (403, "code_wrong")
    assert not await signed_in(client, ADA, PASSWORD, code=codes[1])
    assert await signed_in(client, ADA, PASSWORD, code=made.json()["recovery_codes"][1])


async def test_it_is_turned_off_with_both_and_then_asks_for_nothing(
    ada: Account, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    phone, _ = await set_up(ada, clock)
    again = await ada.client.post("/auth/totp", json={"password": PASSWORD})
    body = {"password": PASSWORD, "code": phone.next()}

    stranger = await ada.client.post("/auth/totp/remove", json={**body, "password": "not mine"})
    off = await ada.client.post("/auth/totp/remove", json=body)

    assert (again.status_code, again.json()["code"]) == (409, "second_factor_on")
    assert (stranger.status_code, off.status_code) == (403, 200)
    assert await signed_in(client, ADA, PASSWORD)
    assert (await me(ada))["recovery_codes_left"] == 0


async def test_one_that_was_only_begun_asks_for_nothing(
    ada: Account, client: httpx.AsyncClient
) -> None:
    await ada.client.post("/auth/totp", json={"password": PASSWORD})
    wrong = await ada.client.post("/auth/totp/confirm", json={"code": "123"})

    assert wrong.status_code == 403
    assert await signed_in(client, ADA, PASSWORD)


@pytest.mark.parametrize("call", ["remove", "recovery-codes", "confirm"])
async def test_what_is_not_there_cannot_be_changed(ada: Account, call: str) -> None:
    body = {"password": PASSWORD, "code": "123456"}

    answer = await ada.client.post(f"/auth/totp/{call}", json=body)

    assert (answer.status_code, answer.json()["code"]) == (409, "second_factor_off")


@pytest.mark.attack("A16")
async def test_a_dump_of_the_database_makes_no_codes(
    ada: Account, db: Database, clock: FakeClock
) -> None:
    phone, codes = await set_up(ada, clock)

    async with db.transaction() as session:
        factors = [str(row) for row in await session.execute(text("table second_factors"))]
        kept = [str(row) for row in await session.execute(text("table recovery_codes"))]

    assert (len(factors), len(kept)) == (1, 10)
    assert phone.secret not in factors[0]
    assert not [one for one in codes if one.replace("-", "") in "".join(kept).replace("-", "")]
