"""Push hooks under attack, by the numbers of the attack table; each name says what is tried."""

import asyncio
import hmac
import json
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.datastructures import Headers

from autostack.core.db import Database
from autostack.core.settings import Settings
from autostack.features.webhooks import payloads, signatures
from autostack.features.webhooks.decisions import Target, decide
from autostack.features.webhooks.endpoints import BODY_LIMIT
from autostack.models.hook import Outcome, Provider
from tests.clock import FakeClock
from tests.integration.api import conftest as api
from tests.integration.api.conftest import Account, speak

app, ada, eve = api.app, api.ada, api.eve
client, register = api.client, api.register
keys, key_pair = api.keys, api.key_pair

ZEROS = "0" * 40
SHA = "5f" * 20
PUSH: Mapping[str, Any] = {
    "ref": "refs/heads/main",
    "before": ZEROS,
    "after": SHA,
    "deleted": False,
    "repository": {
        "full_name": "ada/shop",
        "clone_url": "https://git.example.com/ada/shop.git",
        "ssh_url": "git@git.example.com:ada/shop.git",
        "default_branch": "main",
        "pushed_at": 1_767_225_600,
    },
    "head_commit": {"id": SHA, "message": "Sell more"},
    "commits": [],
}
GITLAB: Mapping[str, Any] = {
    "object_kind": "push",
    "ref": "refs/heads/main",
    "after": SHA,
    "project": {
        "path_with_namespace": "ada/shop",
        "git_http_url": "https://git.example.com/ada/shop.git",
        "default_branch": "main",
    },
    "commits": [{"id": SHA, "message": "Sell more"}],
}


@dataclass(frozen=True, kw_only=True)
class Forge:
    """What calls a hook, as GitHub does unless told otherwise."""

    app: FastAPI
    db: Database
    path: str
    secret: str
    project_id: str
    id: str

    async def push(self, payload: object = PUSH, **headers: str) -> httpx.Response:
        body = json.dumps(payload).encode()
        return await self.send(body, **{**github(self.secret, body), **headers})

    async def send(self, body: bytes, **headers: str) -> httpx.Response:
        named = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
        async with speak(self.app, "203.0.113.7") as client:
            return await client.post(self.path, content=body, headers=named)

    async def deployments(self) -> int:
        return await self._count("deployments")

    async def deliveries(self) -> int:
        return await self._count("deliveries")

    async def _count(self, table: str) -> int:
        async with self.db.transaction() as session:
            return int(await session.scalar(text(f"select count(*) from {table}")) or 0)  # noqa: S608


def github(secret: str, body: bytes, *, event: str = "push") -> dict[str, str]:
    return {
        "content_type": "application/json",
        "x_github_event": event,
        "x_github_delivery": str(uuid4()),
        "x_hub_signature_256": "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex(),
    }


def standard(secret: str, body: bytes, *, at: float, delivery: str = "one") -> dict[str, str]:
    key = b64decode(secret.removeprefix("whsec_"))
    told = f"{delivery}.{at:.0f}.".encode() + body
    return {
        "x_gitlab_event": "Push Hook",
        "webhook_id": delivery,
        "webhook_timestamp": f"{at:.0f}",
        "webhook_signature": "v1," + b64encode(hmac.digest(key, told, "sha256")).decode(),
    }


async def hooked(app: FastAPI, db: Database, account: Account, provider: str = "github") -> Forge:
    project = await account.project()
    answer = await account.client.post(
        f"/projects/{project['id']}/hooks", json={"provider": provider}
    )
    assert answer.status_code == 200, answer.text
    made = answer.json()
    return Forge(
        app=app,
        db=db,
        path=httpx.URL(made["url"]).path,
        secret=made["secret"],
        project_id=project["id"],
        id=made["id"],
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    often = "1000/minute"
    return Settings(
        home=tmp_path, login_rate=often, register_rate=often, api_rate=often, webhook_rate=often
    )


@pytest.fixture
async def forge(app: FastAPI, db: Database, ada: Account) -> Forge:
    return await hooked(app, db, ada)


@pytest.fixture
async def gitlab(app: FastAPI, db: Database, ada: Account) -> Forge:
    return await hooked(app, db, ada, "gitlab")


def told(answer: httpx.Response) -> str:
    assert answer.status_code == 202, answer.text
    return str(answer.json()["decision"])


async def test_w01_a_signed_push_makes_one_deployment(forge: Forge, ada: Account) -> None:
    answer = await forge.push()

    assert told(answer) == "main is deployed to production as deployment 1."
    assert await forge.deployments() == 1
    made = await ada.client.get(f"/deployments/{answer.json()['deployment_id']}")
    assert (made.json()["branch"], made.json()["status"]) == ("main", "pending")


async def test_w02_a_push_without_a_signature_is_refused_and_leaves_nothing(forge: Forge) -> None:
    answer = await forge.send(json.dumps(PUSH).encode(), x_github_event="push")
    nonsense = await forge.send(b"{not json", x_github_event="push")

    assert answer.status_code == nonsense.status_code == 401
    assert answer.json()["code"] == nonsense.json()["code"] == "signature_invalid"
    assert await forge.deployments() == await forge.deliveries() == 0


async def test_w04_another_secret_signs_nothing(
    app: FastAPI, db: Database, forge: Forge, eve: Account
) -> None:
    other = await hooked(app, db, eve)

    answers = [
        await replace(forge, secret=secret).push()
        for secret in ("guess", other.secret, forge.secret.removeprefix("whsec_"))
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert await forge.deployments() == 0


@pytest.mark.parametrize("provider", list(Provider))
def test_w05_an_empty_secret_signs_nothing(provider: Provider, clock: FakeClock) -> None:
    body, now = b"{}", clock()
    digest = hmac.digest(b"", body, "sha256").hex()
    headers = Headers(
        {"x-hub-signature-256": f"sha256={digest}", "x-gitea-signature": digest}
        | {"x-gitlab-token": ""}
    )

    assert not signatures.signed(provider, "", headers, body, now=now)
    assert not signatures.signed(provider, "", Headers(), body, now=now)


async def test_w07_a_changed_body_is_refused_though_it_means_the_same(forge: Forge) -> None:
    body = json.dumps(PUSH).encode()
    headers = github(forge.secret, body)

    changed = await forge.send(body.replace(b"shop", b"shoq", 1), **headers)
    rewritten = await forge.send(json.dumps(PUSH, indent=1).encode(), **headers)

    assert (changed.status_code, rewritten.status_code) == (401, 401)
    assert (await forge.send(body, **headers)).status_code == 202


def test_w09_how_long_a_wrong_signature_takes_tells_nothing(clock: FakeClock) -> None:
    body, secret, now = b"{}" * 50, signatures.make_secret(), clock()
    right = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
    late, early = right[:-1] + ("0" if right[-1] != "0" else "1"), "sha256=" + "g" * 64

    def spent(value: str) -> float:
        headers = Headers({"x-hub-signature-256": value})
        begun = time.perf_counter_ns()
        assert not signatures.signed(Provider.GITHUB, secret, headers, body, now=now)
        return time.perf_counter_ns() - begun

    # In turns, so that a busy moment of the machine meets both.
    pairs = [(spent(late), spent(early)) for _ in range(10_000)]
    ratio = median(one for one, _ in pairs) / median(other for _, other in pairs)
    assert 0.8 < ratio < 1.25


async def test_w10_a_signature_that_is_not_ascii_is_refused(forge: Forge) -> None:
    values = ["sha256=\xff\xfe", "\xff", "sha256=٣", "sha256=", ""]

    answers = [
        await forge.send(b"{}", x_github_event="push", x_hub_signature_256=value)
        for value in values
    ]

    assert [answer.status_code for answer in answers] == [401] * len(values)


async def test_w11_gitlabs_token_opens_only_when_it_is_right(gitlab: Forge) -> None:
    body = json.dumps(GITLAB).encode()
    event = {"x_gitlab_event": "Push Hook"}

    right = await gitlab.send(body, x_gitlab_token=gitlab.secret, **event)
    wrong = [
        await gitlab.send(body, **event, **token)
        for token in ({"x_gitlab_token": "wrong"}, {}, {"x_gitlab_token": ""})
    ]

    assert told(right) == "main is deployed to production as deployment 1."
    assert [answer.status_code for answer in wrong] == [401, 401, 401]


async def test_w12_gitlabs_signed_form_is_whole_and_of_now(gitlab: Forge, clock: FakeClock) -> None:
    body, at = json.dumps(GITLAB).encode(), clock().timestamp()
    good = standard(gitlab.secret, body, at=at)
    late = standard(gitlab.secret, body, at=at - 301)
    early = standard(gitlab.secret, body, at=at + 301)
    lacking = [
        {name: value for name, value in good.items() if name != left}
        for left in ("webhook_id", "webhook_timestamp", "webhook_signature")
    ]
    wrong = [
        *lacking,
        {**good, "webhook_id": "two"},
        {**good, "webhook_timestamp": "9" * 400},
        {**good, "webhook_timestamp": "٣"},
        late,
        early,
    ]

    answers = [await gitlab.send(body, **headers) for headers in wrong]

    assert [answer.status_code for answer in answers] == [401] * len(wrong)
    assert (await gitlab.send(body, **good)).status_code == 202
    assert await gitlab.deployments() == 1


async def test_w12_a_signed_form_that_fails_is_not_saved_by_the_token(
    gitlab: Forge, clock: FakeClock
) -> None:
    body = json.dumps(GITLAB).encode()
    stale = standard(gitlab.secret, body, at=clock().timestamp() - 3600)

    answer = await gitlab.send(body, **stale, x_gitlab_token=gitlab.secret)

    assert answer.status_code == 401


async def test_w14_a_delivery_is_handled_once(forge: Forge) -> None:
    body = json.dumps(PUSH).encode()
    headers = github(forge.secret, body)
    first = await forge.send(body, **headers)

    again = await forge.send(body, **headers)
    renamed = await forge.send(body, **{**headers, "x_github_delivery": str(uuid4())})

    for answer in (again, renamed):
        assert told(answer).startswith("Already handled: main is deployed")
        assert answer.json()["outcome"] == "duplicate"
        assert answer.json()["deployment_id"] == first.json()["deployment_id"]
    assert await forge.deployments() == await forge.deliveries() == 1


async def test_w14_of_five_at_the_same_moment_one_deploys(forge: Forge) -> None:
    body = json.dumps(PUSH).encode()
    headers = github(forge.secret, body)

    answers = await asyncio.gather(*(forge.send(body, **headers) for _ in range(5)))

    found = sorted(answer.json()["outcome"] for answer in answers)
    assert found == ["deployed", *["duplicate"] * 4]
    assert await forge.deployments() == 1


async def test_w18_other_events_are_answered_and_deploy_nothing(forge: Forge) -> None:
    events = {
        "ping": "Connected: a push to the default branch deploys production.",
        "issues": "Only pushes deploy; this is 'issues'.",
        "\xff<b>": "Only pushes deploy; this is",
        "x" * 5000: "Only pushes deploy; this is 'xxx",
    }

    for number, (event, words) in enumerate(events.items()):
        answer = await forge.push({**PUSH, "number": number}, x_github_event=event)
        assert told(answer).startswith(words)

    assert await forge.deployments() == 0


async def test_w18_an_event_that_is_not_named_deploys_nothing(forge: Forge) -> None:
    body = json.dumps(PUSH).encode()
    headers = github(forge.secret, body)
    del headers["x_github_event"]

    answer = await forge.send(body, **headers)

    assert told(answer) == "The delivery does not say which event it is; only pushes deploy."
    assert await forge.deployments() == 0


STRANGE: list[bytes] = [
    json.dumps({**PUSH, "repository": None}).encode(),
    json.dumps({**PUSH, "ref": 5}).encode(),
    json.dumps({**PUSH, "ref": "main"}).encode(),
    json.dumps({**PUSH, "ref": "refs/heads/\ud800"}).encode(),
    json.dumps({**PUSH, "ref": "refs/heads/--upload-pack=x"}).encode(),
    json.dumps({**PUSH, "ref": "refs/heads/a\nb"}).encode(),
    json.dumps({**PUSH, "repository": {"clone_url": "http://[::1"}}).encode(),
    b"[" * 10_000,
    b'{"ref":' * 10_000,
    b'{"ref": ' + b"9" * 5_000 + b"}",
    b'"text"',
    b"null",
    b"",
    b"\xff\xfe\x00",
    b'{"ref": NaN}',
]


async def test_w19_a_signed_push_that_makes_no_sense_deploys_nothing(forge: Forge) -> None:
    answers = [await forge.send(body, **github(forge.secret, body)) for body in STRANGE]

    assert [told(answer) for answer in answers if answer.json()["outcome"] != "ignored"] == []
    assert await forge.deployments() == 0
    assert (await forge.push()).json()["outcome"] == "deployed"


async def test_w19_what_is_strange_beside_the_branch_does_not_matter(forge: Forge) -> None:
    changes: list[dict[str, object]] = [
        {"commits": None, "head_commit": None},
        {"commits": 7, "head_commit": "x"},
        {"commits": [None, 3, {"id": 4}]},
        {"head_commit": {"message": "\ud800\0"}},
        {"after": "x" * 10_000},
        {"repository": {**PUSH["repository"], "full_name": "\ud800\0"}},
    ]

    answers = [await forge.push({**PUSH, **change}) for change in changes]

    assert [answer.json()["outcome"] for answer in answers] == ["deployed"] * len(changes)


async def test_w19_of_two_keys_the_last_one_counts(forge: Forge) -> None:
    body = json.dumps(PUSH).encode()[:-1] + b', "ref": "refs/heads/other"}'

    answer = await forge.send(body, **github(forge.secret, body))

    assert told(answer) == "production follows main; this push is for other."


async def test_w20_a_deleted_branch_deploys_nothing(forge: Forge) -> None:
    marked = await forge.push({**PUSH, "deleted": True})
    zeros = await forge.push({**PUSH, "after": ZEROS})

    words = "The branch main was deleted; what runs goes on."
    assert told(marked) == told(zeros) == words
    assert await forge.deployments() == 0


async def test_w22_too_much_is_refused_before_it_is_read(forge: Forge) -> None:
    sent = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield b"x" * 65536

    declared = await forge.send(b"", content_length=str(30 * 1024 * 1024))
    async with speak(forge.app) as client:
        chunked = await client.post(forge.path, content=endless())

    assert declared.status_code == chunked.status_code == 413
    assert declared.json()["code"] == "body_too_large"
    assert sent <= BODY_LIMIT + 2 * 65536


async def test_w22_a_large_push_is_still_a_push(forge: Forge) -> None:
    commits = [{"id": f"{number:040}", "message": "x" * 1000} for number in range(3000)]

    assert (await forge.push({**PUSH, "commits": commits})).json()["outcome"] == "deployed"


async def test_w24_a_push_to_another_repository_deploys_nothing(forge: Forge) -> None:
    urls = [
        "https://git.example.com/ada/shop2.git",
        "https://git.example.com/eve/shop.git",
        "https://git.example.com.evil.example/ada/shop.git",
        "https://evil.example/git.example.com/ada/shop.git",
        "https://evil.example/?x=https://git.example.com/ada/shop.git",
        "https://git.example.com@evil.example/ada/shop.git",
        "https://git.example.com:444/ada/shop.git",
    ]
    repository = {"full_name": "eve/else", "default_branch": "main"}

    answers = [
        await forge.push({**PUSH, "repository": {**repository, "clone_url": url}}) for url in urls
    ]

    words = "This push is for eve/else; the project is https://git.example.com/ada/shop.git."
    assert {told(answer) for answer in answers} == {words}
    assert await forge.deployments() == 0


def test_w24_spellings_of_one_repository_are_one() -> None:
    told = payloads.read(
        Provider.GITHUB, Headers({"x-github-event": "push"}), json.dumps(PUSH).encode()
    )

    found = [
        decide(told, replace(TARGET, repo_url=ours)).outcome
        for ours in (
            "https://GIT.example.com/Ada/Shop",
            "git@git.example.com:ada/shop.git",
            "ssh://git@git.example.com:22/ada/shop.git/",
        )
    ]

    assert found == [Outcome.DEPLOYED] * 3


async def test_w26_w27_pull_requests_deploy_nothing(forge: Forge) -> None:
    payload = {**PUSH, "action": "opened", "pull_request": {"head": {"ref": "main"}}}
    body = json.dumps(payload).encode()

    answer = await forge.send(body, **github(forge.secret, body, event="pull_request"))

    assert told(answer) == "Only pushes deploy; this is 'pull_request'."
    assert await forge.deployments() == 0


async def test_w29_headers_that_are_almost_right_count_for_nothing(forge: Forge) -> None:
    body = json.dumps(PUSH).encode()
    good = {name.replace("_", "-"): value for name, value in github(forge.secret, body).items()}
    underscored = {**good, "X_Hub_Signature_256": good["x-hub-signature-256"]}
    del underscored["x-hub-signature-256"]
    twice = [*good.items(), ("x-github-event", "ping")]
    by_query = {name: value for name, value in good.items() if name != "x-github-event"}

    async with speak(forge.app) as client:
        unsigned = await client.post(forge.path, content=body, headers=underscored)
        both = await client.post(forge.path, content=body, headers=twice)
        query = await client.post(
            f"{forge.path}?x-github-event=push", content=body + b" ", headers=by_query
        )

    assert unsigned.status_code == 401
    assert both.json()["decision"].startswith("The delivery does not say")
    assert query.status_code == 401
    assert await forge.deployments() == 0


async def test_w32_a_hook_takes_posts_alone_and_its_token_is_kept_as_a_digest(
    forge: Forge,
) -> None:
    async with speak(forge.app) as client:
        looked = await client.get(forge.path)
    token = forge.path.rpartition("/")[2]
    async with forge.db.transaction() as session:
        (row,) = (await session.execute(text("select hooks::text from hooks"))).one()

    assert looked.status_code == 405
    assert token not in row
    assert forge.secret not in row


async def test_w32_a_failure_does_not_write_the_token_into_the_log(
    forge: Forge, caplog: pytest.LogCaptureFixture
) -> None:
    async with forge.db.transaction() as session:
        await session.execute(text("drop table deliveries"))

    answer = await forge.push()

    assert answer.status_code == 500
    assert "/webhooks/{provider}/{token} failed" in caplog.text
    assert forge.path.rpartition("/")[2] not in caplog.text


async def test_w33_the_branch_is_deployed_and_never_the_commit_a_push_names(
    forge: Forge, ada: Account
) -> None:
    answer = await forge.push({**PUSH, "after": "ab" * 20})

    made = (await ada.client.get(f"/deployments/{answer.json()['deployment_id']}")).json()
    assert (made["branch"], made["commit_sha"]) == ("main", None)


async def test_an_unknown_address_is_answered_like_every_other(forge: Forge) -> None:
    paths = [
        "/webhooks/github/" + "x" * 43,
        forge.path.replace("github", "gitlab"),
        forge.path.replace("github", "bitbucket"),
        "/webhooks/github/%00",
    ]

    answers = [await replace(forge, path=path).push() for path in paths]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


async def test_strangers_cannot_use_up_the_share_of_a_forge(
    app: FastAPI, settings: Settings, db: Database, ada: Account
) -> None:
    forge = await hooked(app, db, ada)
    app.state.settings = settings.model_copy(update={"webhook_rate": "3/minute"})
    async with speak(app, "198.51.100.1") as stranger:
        answers = [await stranger.post(forge.path, content=b"{}") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert (await forge.push()).status_code == 202


async def test_one_hook_is_called_so_often_from_wherever(
    app: FastAPI, settings: Settings, db: Database, ada: Account
) -> None:
    forge = await hooked(app, db, ada)
    app.state.settings = settings.model_copy(update={"webhook_rate": "2/minute"})
    answers: list[int] = []
    for number in range(4):
        body = json.dumps({**PUSH, "number": number}).encode()
        async with speak(app, f"198.51.100.{number}") as client:
            headers = {k.replace("_", "-"): v for k, v in github(forge.secret, body).items()}
            answers.append(
                (await client.post(forge.path, content=body, headers=headers)).status_code
            )

    assert answers == [202, 202, 429, 429]


TARGET = Target(repo_url="https://git.example.com/ada/shop.git", environment="web", branch=None)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(
    ["ref", "after", "deleted", "repository", "project", "head_commit", "commits"]
)
known = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(["clone_url", "ssh_url", "full_name", "default_branch"], values),
)


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    provider=st.sampled_from(Provider),
    event=st.sampled_from(["push", "Push Hook", "ping", "issues"]) | st.text(),
    body=st.binary()
    | st.dictionaries(fields, values | known | st.lists(known)).map(
        lambda found: json.dumps(found).encode()
    ),
    form=st.booleans(),
)
def test_any_bytes_are_read_as_something(
    provider: Provider, event: str, body: bytes, *, form: bool
) -> None:
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    name = {"github": "x-github-event", "gitea": "x-gitea-event"}.get(provider, "x-gitlab-event")
    headers = Headers(
        raw=[
            (name.encode(), event.encode("utf-8", "replace")),
            (b"content-type", kind.encode()),
        ]
    )

    decision = decide(payloads.read(provider, headers, body), TARGET)

    assert decision.words.encode()
    assert "\0" not in decision.words
    assert decision.outcome in {Outcome.IGNORED, Outcome.DEPLOYED}


@given(st.sampled_from(Provider), st.dictionaries(st.sampled_from(signatures.HEADERS), st.binary()))
def test_no_headers_are_too_strange_to_be_refused(
    provider: Provider, found: dict[str, bytes]
) -> None:
    headers = Headers(raw=[(name.encode(), value) for name, value in found.items()])

    assert not signatures.signed(
        provider, signatures.make_secret(), headers, b"{}", now=FakeClock()()
    )


async def test_an_old_delivery_is_forgotten_and_so_is_the_hundred_and_first(
    forge: Forge, clock: FakeClock
) -> None:
    for number in range(103):
        clock.advance(timedelta(seconds=1))
        await forge.push({**PUSH, "ref": "refs/heads/other", "number": number})
    assert await forge.deliveries() == 100

    clock.advance(timedelta(days=31))
    await forge.push()

    assert await forge.deliveries() == 1
