"""Every operation, asked for by everybody with a victim's real ids.

In the same run the same call answers its owner with 2xx: so the ids are real, and what was refused
was refused for who asked.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
from schemathesis.core.failures import FailureGroup
from sqlalchemy import select

from autostack.core import crypto
from autostack.core.clock import utc_now
from autostack.core.crypto import Sealer, Vault
from autostack.core.db import Database
from autostack.core.settings import Settings
from autostack.engine.plan import Family, Plan
from autostack.entrypoints.http import Keys, assemble
from autostack.features.accounts.tokens import Signer
from autostack.features.plans import service as plans
from autostack.models.plan import PlanRequest
from autostack.models.team import Role
from tests.integration.api.test_streams import eventually, served
from tests.oidc import CLIENT, SECRET, Provider
from tests.security.api.calls import CALLS, Call, Kind
from tests.security.api.cast import House, World, hashed_once, make_world

RISING = ("viewer", "developer", "admin", "owner")
EVERYBODY = ("anonymous", "other", "read token", "token for another", *RISING)
TOKENS = ("read token", "token for another")
READ = frozenset({"me", "list_projects"})
"""What a token for one project may ask for without naming it."""
OFTEN = "100000/minute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    name: str
    method: str
    path: str

    @property
    def safe(self) -> bool:
        return self.method == "GET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`untrue` is what the api's own document does not say of it."""

    status: int
    text: str
    untrue: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    client: httpx.AsyncClient
    house: House
    document: Any
    """Schemathesis' view of the api's own document; its types are incomplete."""

    async def ask(
        self, operation: Operation, call: Call, world: World, who: str, *, stream: bool = False
    ) -> Answer:
        told = {name: text.format_map(world.proofs) for name, text in call.headers.items()}
        headers = world.bearer(who) | told
        body = await _body(call, world, who, self.client)
        query = {name: world.ids[value] for name, value in call.query.items()}
        request = self.client.build_request(
            operation.method, _filled(operation, call, world), headers=headers, params=query, **body
        )
        if stream:
            request.headers["Accept"] = "text/event-stream"
        answer = await self.client.send(request, stream=True)
        try:
            text = await _text(answer)
        finally:
            await answer.aclose()
            self.client.cookies.clear()  # who asks next is another
        return Answer(status=answer.status_code, text=text, untrue=self._untrue(operation, answer))

    def _untrue(self, operation: Operation, answer: httpx.Response) -> str:
        if _streams(answer):
            return ""
        try:
            self.document.find_operation_by_id(operation.name).validate_response(answer)
        except FailureGroup as group:
            return "; ".join(str(one) for one in group.exceptions)
        return ""


async def _text(answer: httpx.Response) -> str:
    """Of a stream what comes until it has nothing more to say."""
    if not _streams(answer):
        return (await answer.aread()).decode()
    found = ""
    async for line in answer.aiter_lines():
        found += line + "\n"
        if line.startswith(": beat"):
            break
    return found


def _streams(answer: httpx.Response) -> bool:
    return str(answer.headers.get("content-type", "")).startswith("text/event-stream")


async def _body(call: Call, world: World, who: str, client: httpx.AsyncClient) -> dict[str, Any]:
    if call.raw is not None:
        return {"content": call.raw}
    if call.body is None:
        return {}
    prepared = call.kind in {Kind.SELF, Kind.PRIVATE} and who in (*TOKENS, "anonymous")
    return {"json": {} if prepared else await call.body(world, who, client)}


def _filled(operation: Operation, call: Call, world: World) -> str:
    parts: list[str] = []
    for part in operation.path.split("/"):
        name = part.strip("{}")
        wanted = call.ids.get(name, name)
        parts.append(world.ids.get(wanted, wanted) if part.startswith("{") else part)
    return "/".join(parts)


def operations(tmp_path: Path) -> list[Operation]:
    keys = Keys(secret=crypto.generate_secret(), seal=crypto.generate()[1])
    document = assemble(Settings(home=tmp_path), keys, url="postgresql:///none").openapi()
    return [
        Operation(name=operation["operationId"], method=method.upper(), path=path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


@asynccontextmanager
async def walking(
    tmp_path: Path, url: str, db: Database, provider: Provider
) -> AsyncGenerator[Walk]:
    """The whole api on a socket; plans are answered as a worker would."""
    keys = Keys(secret=crypto.generate_secret(), seal=crypto.generate()[1])
    settings = Settings(
        home=tmp_path,
        smtp_url="smtp+plain://127.0.0.1:9",
        edge_port=1,
        login_rate=OFTEN,
        register_rate=OFTEN,
        reset_rate=OFTEN,
        api_rate=OFTEN,
        oidc_issuer=provider.issuer,
        oidc_id=CLIENT,
        oidc_secret=SECRET,
    )
    house = House(
        db=db,
        signer=Signer(keys.secret),
        sealer=Sealer(keys.seal),
        vault=Vault(keys.secret),
        provider=provider,
        home=settings.layout,
        hashed=hashed_once(),
    )
    async with served(settings, keys, url) as live:
        await eventually(lambda: live.server.started)
        worker = asyncio.create_task(_answer_plans(db))
        document = (await live.client.get("/openapi.json")).json()
        yield Walk(
            client=live.client, house=house, document=schemathesis.openapi.from_dict(document)
        )
        worker.cancel()


async def _answer_plans(db: Database) -> None:
    while True:
        async with db.transaction() as session:
            waiting = select(PlanRequest.id).where(PlanRequest.answered_at.is_(None))
            for one in await session.scalars(waiting):
                await plans.answer(session, one, Plan(family=Family.STATIC), now=utc_now())
        await asyncio.sleep(0.05)


def wanted(operation: Operation, call: Call, who: str, *, protected: bool) -> frozenset[int]:
    """What this asker is to be answered."""
    if call.kind is Kind.PUBLIC:
        return call.fine
    if who == "anonymous":
        return frozenset({401})
    if who in TOKENS:
        return _of_token(operation, call, who)
    refusal = _refusal(call, who, protected=protected)
    return call.fine if refusal is None else frozenset({refusal})


def _refusal(call: Call, who: str, *, protected: bool) -> int | None:
    """Of somebody who is signed in; None for who may."""
    if call.kind is Kind.ROOT:
        return None if who == "root" else 403
    if call.kind is Kind.PRIVATE:
        return None if who == call.whose else call.others
    if call.kind is Kind.SELF:
        return None
    if who == "other":
        return 404
    least = Role.ADMIN if call.guarded and protected else call.least
    return None if RISING.index(who) >= RISING.index(least.value) else 403


def _of_token(operation: Operation, call: Call, who: str) -> frozenset[int]:
    refused = frozenset({403})
    if who == "token for another":
        return call.fine if operation.name in READ else refused
    private = operation.path.startswith("/auth/") and operation.name != "me"
    may = operation.safe and not private and call.kind in {Kind.TEAM, Kind.SELF}
    return call.fine if may else refused


@pytest.fixture
async def walk(tmp_path: Path, database_url: str, db: Database) -> AsyncIterator[Walk]:
    with Provider().running() as provider:
        async with walking(tmp_path, database_url, db, provider) as found:
            yield found


@pytest.mark.attack("Z01")
def test_every_operation_has_an_entry(tmp_path: Path) -> None:
    assert {one.name for one in operations(tmp_path)} == set(CALLS)


@pytest.mark.attack("Z01", "Z03", "Z11", "Z14")
@pytest.mark.timeout(1500)
async def test_nobody_gets_what_is_not_theirs_and_its_owner_gets_it_in_the_same_run(
    walk: Walk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = {one: await make_world(walk.house, protected=one) for one in (False, True)}
    wrong: list[str] = []
    cases = 0
    for operation in operations(tmp_path):
        call = CALLS[operation.name]
        for protected in (False, True) if call.guarded else (False,):
            found = await _walked(walk, operation, call, shared[protected], protected=protected)
            wrong += [one for one in found if one]
            cases += len(found)
    with capsys.disabled():
        print(f"\nwalk: {cases} cases of {len(CALLS)} operations")  # noqa: T201
    assert wrong == []
    assert cases > 8 * len(CALLS)


async def _walked(
    walk: Walk, operation: Operation, call: Call, shared: World, *, protected: bool
) -> list[str]:
    """What is wrong, or nothing, for each who asks. Those who are refused share a world with the
    owner, who asks last; whoever changes it has one of their own, unless that is about themselves.
    """
    found: list[str] = []

    async def expect(world: World, who: str) -> None:
        right = wanted(operation, call, who, protected=protected)
        for stream in _ways(operation, call):
            answer = await walk.ask(operation, call, world, who, stream=stream)
            found.append(_judged(operation, world, who, answer, right, protected=protected))

    refused, allowed = _sorted(operation, call, protected=protected)
    world = shared if operation.safe else await make_world(walk.house, protected=protected)
    for who in refused:
        await expect(world, who)
    if call.kind is Kind.TEAM:
        found.append(await _like_nothing(walk, operation, call, world))
    for who in allowed[:1]:
        await expect(world, who)
    for who in allowed[1:]:
        if not operation.safe and (call.kind is not Kind.SELF or call.spends):
            world = await make_world(walk.house, protected=protected)
        await expect(world, who)
    return found


def _ways(operation: Operation, call: Call) -> Sequence[bool]:
    if not call.stream:
        return (False,)
    return (False, True) if operation.name.startswith("read_") else (True,)


def _sorted(operation: Operation, call: Call, *, protected: bool) -> tuple[list[str], list[str]]:
    """Who is refused, and who is not: its owner first."""
    asking: Sequence[str] = {
        Kind.PUBLIC: ("owner",),
        Kind.ROOT: (*EVERYBODY, "root"),
    }.get(call.kind, EVERYBODY if call.whose == "owner" else (*EVERYBODY, call.whose))
    may = [who for who in asking if wanted(operation, call, who, protected=protected) == call.fine]
    return [who for who in asking if who not in may], sorted(may, key=lambda who: who != "owner")


def _judged(
    operation: Operation,
    world: World,
    who: str,
    answer: Answer,
    right: frozenset[int],
    *,
    protected: bool,
) -> str:
    case = f"{operation.method} {operation.path} as {who}{' (protected)' if protected else ''}"
    if answer.status not in right:
        return f"{case}: {answer.status} instead of {sorted(right)}: {answer.text[:300]}"
    if answer.untrue:
        return f"{case}: {answer.status}: {answer.untrue}: {answer.text[:300]}"
    if who in {"other", "anonymous"} and operation.name not in {"ready", "metrics"}:
        told = [one for one in world.secret_ids if one in answer.text]
        return f"{case}: tells {told}" if told else ""
    return ""


async def _like_nothing(walk: Walk, operation: Operation, call: Call, world: World) -> str:
    """A stranger is answered as for what does not exist."""
    nothing = replace(world, ids={name: str(uuid4()) for name in world.ids})
    stranger = replace(call, body=None) if call.body is None else call
    theirs = await walk.ask(operation, stranger, world, "other")
    if operation.name == "remove_team":
        return "" if theirs.status == 404 else f"{operation.name}: {theirs}"
    nobodys = await walk.ask(operation, stranger, nothing, "other")
    same = theirs == nobodys
    return "" if same else f"{operation.name} tells a stranger what exists: {theirs}, {nobodys}"


STREAMS = ("follow_deployment", "read_deployment_log", "read_run_log", "read_environment_log")


@pytest.mark.attack("Z05", "Z07")
@pytest.mark.parametrize("who", ["developer", "service"])
async def test_an_open_stream_ends_with_the_membership(
    walk: Walk, tmp_path: Path, who: str
) -> None:
    world = await make_world(walk.house)
    known = {one.name: one for one in operations(tmp_path)}
    open_ = [asyncio.create_task(_read_on(walk, known[name], world, who)) for name in STREAMS]
    done, _ = await asyncio.wait(open_, timeout=1.0)
    assert not done, "they stay open while nothing happens"

    member = world.ids["service_id"] if who == "service" else str(world.people[who].user_id)
    gone = await walk.client.delete(
        f"/teams/{world.ids['team_id']}/members/{member}", headers=world.bearer("owner")
    )

    assert gone.status_code == 200
    ended = await asyncio.wait_for(asyncio.gather(*open_), 25)
    assert ended == ["ended"] * len(STREAMS)


@pytest.mark.attack("Z07")
async def test_a_stream_of_everything_goes_on_without_the_team_one_left(walk: Walk) -> None:
    world = await make_world(walk.house)
    headers = world.bearer("developer")
    async with walk.client.stream("GET", "/events", headers=headers) as stream:
        lines = stream.aiter_lines()
        await _until(lines, ": beat")
        path = f"/teams/{world.ids['team_id']}"
        member = f"{path}/members/{world.people['developer'].user_id}"
        for change in (
            walk.client.delete(member, headers=world.bearer("owner")),
            walk.client.patch(path, json={"name": "Secret"}, headers=world.bearer("owner")),
            walk.client.post("/teams", json={"name": "Mine"}, headers=headers),
        ):
            assert (await change).status_code == 200
        seen = await _until(lines, "event: team.created")

    assert "team.renamed" not in seen


async def _read_on(walk: Walk, operation: Operation, world: World, who: str) -> str:
    request = walk.client.build_request(
        "GET",
        _filled(operation, CALLS[operation.name], world),
        headers={**world.bearer(who), "Accept": "text/event-stream"},
    )
    answer = await walk.client.send(request, stream=True)
    assert answer.status_code == 200, operation.name
    async for line in answer.aiter_lines():
        assert not line.startswith("event: end"), operation.name
    return "ended"


async def _until(lines: AsyncIterator[str], start: str) -> str:
    seen = ""
    async with asyncio.timeout(25):
        async for line in lines:
            seen += line + "\n"
            if line.startswith(start):
                return seen
    raise AssertionError(seen)
