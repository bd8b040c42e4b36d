"""The people of a platform, as its administrators see them and help them. The first is ada."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from autostack.features.accounts.service.failures import LOCK, MOST
from tests.clock import FakeClock
from tests.integration.api.accounts.letters import signed_in
from tests.integration.api.accounts.test_lock import lock
from tests.integration.api.accounts.test_second_factor import set_up
from tests.integration.api.conftest import PASSWORD, Account, Register, speak

ADA, EVE = "ada@example.com", "eve@example.com"


async def listed(ada: Account, **query: str) -> list[Any]:
    answer = await ada.client.get("/admin/users", params=query)
    assert answer.status_code == 200, answer.text
    items: list[Any] = answer.json()["items"]
    return items


def emails(items: list[Any]) -> list[str]:
    return [one["email"] for one in items]


async def history(ada: Account, kind: str) -> list[Any]:
    answer = await ada.client.get("/audit", params={"everything": True, "kind": kind})
    items: list[Any] = answer.json()["items"]
    return items


async def test_everybody_is_listed_newest_first_with_what_an_administrator_needs(
    ada: Account, register: Register, clock: FakeClock, app: FastAPI
) -> None:
    clock.advance(timedelta(minutes=1))
    eve = await register(EVE)
    await set_up(eve, clock)
    clock.advance(timedelta(minutes=5))
    await eve.client.get("/auth/me")
    await lock(app, EVE)

    found = await listed(ada)

    assert emails(found) == [EVE, ADA]
    assert [one["is_admin"] for one in found] == [False, True]
    assert [one["second_factor"] for one in found] == [True, False]
    assert datetime.fromisoformat(found[0]["last_seen_at"]) == clock()
    assert datetime.fromisoformat(found[0]["locked_until"]) == clock() + LOCK
    assert found[1]["locked_until"] is None
    assert found[0]["id"] == eve.id


async def test_what_is_over_or_not_finished_is_not_shown_as_if_it_stood(
    ada: Account, eve: Account, clock: FakeClock, app: FastAPI
) -> None:
    begun = await eve.client.post("/auth/totp", json={"password": PASSWORD})
    await lock(app, EVE)
    clock.advance(LOCK + timedelta(seconds=1))
    again = await ada.client.post("/auth/login", json={"email": ADA, "password": PASSWORD})
    ada.client.headers["Authorization"] = f"Bearer {again.json()['access_token']}"

    shown = (await listed(ada, search=EVE))[0]

    assert begun.status_code == 200
    assert (shown["second_factor"], shown["locked_until"]) == (False, None)


async def test_programs_and_closed_accounts_are_not_among_the_people(
    ada: Account, eve: Account
) -> None:
    team = (await ada.client.post("/teams", json={"name": "Shop"})).json()["id"]
    path = f"/teams/{team}/service-accounts"
    program = await ada.client.post(path, json={"name": "robot"})
    gone = await eve.client.post("/auth/account/remove", json={"password": PASSWORD})
    helped = [
        await ada.client.post(f"/admin/users/{one}/{action}")
        for one in (program.json()["user_id"], eve.id, uuid4())
        for action in ("unlock", "reset-totp")
    ]

    assert (program.status_code, gone.status_code) == (200, 200)
    assert emails(await listed(ada)) == [ADA]
    assert [one.json()["code"] for one in helped] == ["account_not_found"] * 6


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("eve", [EVE]),
        ("EXAMPLE.com", [EVE, ADA]),
        (" ada@ ", [ADA]),
        ("nobody", []),
        ("%", []),
        ("_", []),
        ("", [EVE, ADA]),
    ],
)
async def test_a_part_of_the_address_finds_people(
    ada: Account, register: Register, clock: FakeClock, typed: str, found: list[str]
) -> None:
    clock.advance(timedelta(minutes=1))
    await register(EVE)

    assert emails(await listed(ada, search=typed)) == found


async def test_pages_neither_repeat_nor_skip_anybody(ada: Account, register: Register) -> None:
    """All but the first are of the same moment."""
    everybody = {ADA, *(f"person-{at}@example.com" for at in range(6))}
    for one in everybody - {ADA}:
        await register(one)
    seen: list[str] = []
    cursor: str | None = ""

    while cursor is not None:
        query = {"limit": "3", "search": "@example", **({"cursor": cursor} if cursor else {})}
        page = (await ada.client.get("/admin/users", params=query)).json()
        seen += emails(page["items"])
        cursor = page["next_cursor"]
    strange = await ada.client.get("/admin/users", params={"cursor": "made up"})

    assert len(seen) == len(everybody)
    assert set(seen) == everybody
    assert (strange.status_code, strange.json()["code"]) == (422, "cursor_invalid")


async def test_a_long_list_asks_the_database_as_often_as_a_short_one(
    app: FastAPI, ada: Account, register: Register
) -> None:
    counts: list[int] = []

    async def counted() -> int:
        asked: list[str] = []
        engine = app.state.db.engine.sync_engine
        event.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
        await listed(ada)
        return len(asked)

    counts.append(await counted())
    for at in range(5):
        await register(f"person-{at}@example.com")
    counts.append(await counted())

    assert counts[0] == counts[1] > 3


@pytest.mark.attack("Z11")
async def test_others_neither_see_the_people_nor_help_them(
    app: FastAPI, ada: Account, eve: Account
) -> None:
    await lock(app, ADA)

    refused = [
        await eve.client.get("/admin/users"),
        await eve.client.get("/admin/limits"),
        await eve.client.post(f"/admin/users/{ada.id}/unlock"),
        await eve.client.post(f"/admin/users/{ada.id}/reset-totp"),
        await eve.client.post(f"/admin/users/{uuid4()}/unlock"),
    ]

    assert {(one.status_code, one.json()["code"]) for one in refused} == {
        (403, "not_administrator")
    }
    assert not await signed_in(eve.client, ADA, PASSWORD)


async def test_unlocking_lets_the_right_password_in_and_is_told_with_who_did_it(
    app: FastAPI, ada: Account, eve: Account, client: httpx.AsyncClient
) -> None:
    await lock(app, EVE)
    assert not await signed_in(client, EVE, PASSWORD)

    done = await ada.client.post(f"/admin/users/{eve.id}/unlock")

    assert (done.status_code, done.json()) == (200, {"detail": "Unlocked."})
    assert await signed_in(client, EVE, PASSWORD)
    assert (await listed(ada, search=EVE))[0]["locked_until"] is None
    (told,) = await history(ada, "account.unlocked")
    assert (told["actor_id"], told["actor"]) == (ada.id, ADA)
    assert told["data"] == {"member": EVE, "user_id": eve.id}
    own = (await eve.client.get("/audit", params={"kind": "account.unlocked"})).json()["items"]
    assert [one["id"] for one in own] == [told["id"]], "whose account it is reads it too"


async def test_a_lock_at_the_password_asked_once_more_is_shown_and_lifted_too(
    ada: Account, eve: Account
) -> None:
    change = {"current_password": "a guess of mine", "new_password": "three blue bicycles"}
    for _ in range(MOST):
        await eve.client.post("/auth/password", json=change)
    right = {**change, "current_password": PASSWORD}
    before = await eve.client.post("/auth/password", json=right)
    locked = (await listed(ada, search=EVE))[0]["locked_until"]

    await ada.client.post(f"/admin/users/{eve.id}/unlock")
    after = await eve.client.post("/auth/password", json=right)

    assert (before.status_code, after.status_code) == (423, 200)
    assert locked is not None


async def test_a_lost_second_factor_is_gone_after_a_reset_and_that_is_told(
    ada: Account, eve: Account, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    _, recovery = await set_up(eve, clock)
    assert not await signed_in(client, EVE, PASSWORD)

    done = await ada.client.post(f"/admin/users/{eve.id}/reset-totp")

    assert done.status_code == 200, done.text
    assert await signed_in(client, EVE, PASSWORD)
    shown = (await eve.client.get("/auth/me")).json()
    assert (shown["second_factor"], shown["recovery_codes_left"]) == (False, 0)
    assert len(recovery) > 0
    (told,) = await history(ada, "account.second_factor_off")
    assert told["actor_id"] == ada.id
    assert told["data"] == {"member": EVE, "user_id": eve.id}


async def test_nobody_resets_their_own_second_factor_without_a_code(
    ada: Account, clock: FakeClock
) -> None:
    await set_up(ada, clock)

    refused = await ada.client.post(f"/admin/users/{ada.id}/reset-totp")

    assert (refused.status_code, refused.json()["code"]) == (403, "own_second_factor")
    assert (await ada.client.get("/auth/me")).json()["second_factor"] is True
    assert await history(ada, "account.second_factor_off") == []


@pytest.mark.attack("Z11")
async def test_of_an_administrators_tokens_only_the_widest_looks_and_none_acts(
    app: FastAPI, ada: Account, eve: Account
) -> None:
    project = await ada.project()
    bodies = [
        {"scope": "read"},
        {"scope": "deploy"},
        {"scope": "admin", "project_id": project["id"]},
        {"scope": "admin"},
    ]
    found: list[list[int]] = []

    for body in bodies:
        made = await ada.client.post("/auth/tokens", json={"name": "CI", **body})
        bearer = f"Bearer {made.json()['token']}"
        async with speak(app, Authorization=bearer) as program:
            found.append(
                [
                    (await program.get("/admin/users")).status_code,
                    (await program.get("/admin/limits")).status_code,
                    (await program.post(f"/admin/users/{eve.id}/unlock")).status_code,
                ]
            )

    assert found == [[403] * 3, [403] * 3, [403] * 3, [200, 200, 403]]


async def test_another_site_cannot_make_an_administrators_browser_do_it(
    app: FastAPI, ada: Account, eve: Account
) -> None:
    async with speak(app) as browser:
        await browser.post("/auth/session", json={"email": ADA, "password": PASSWORD})
        path = f"/admin/users/{eve.id}/reset-totp"
        foreign = await browser.post(path, headers={"Sec-Fetch-Site": "cross-site"})
        own = await browser.post(path, headers={"Sec-Fetch-Site": "same-origin"})

    assert ada.id
    assert (foreign.status_code, foreign.json()["code"]) == (403, "cross_site_refused")
    assert own.status_code == 200
