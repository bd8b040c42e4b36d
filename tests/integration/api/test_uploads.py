"""Directories sent to the api. What a worker makes of them is tested with the sources."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from autostack.core.settings import Settings
from autostack.core.uploads import upload_folder
from tests.integration.api.conftest import Account

MEGABYTE = 1024 * 1024


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"source_limit_mb": 2})


async def send(account: Account, project: Any, data: bytes) -> Any:  # noqa: ANN401
    headers = {"Content-Type": "application/gzip"}
    url = f"/projects/{project['id']}/uploads"
    return await account.client.post(url, content=data, headers=headers)


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def test_an_upload_is_named_by_its_content_and_deployed_by_that_name(ada: Account) -> None:
    project, data = await ada.project(), b"\x1f\x8b" + b"x" * MEGABYTE

    sent = await send(ada, project, data)
    body = {"project_id": project["id"], "upload": sent.json()["upload"]}
    made = await ada.client.post("/deployments", json=body)

    assert (sent.status_code, sent.json()) == (200, {"upload": digest_of(data)})
    assert made.status_code == 200
    assert (made.json()["upload"], made.json()["branch"]) == (digest_of(data), None)


async def test_the_same_directory_twice_is_kept_once(ada: Account, settings: Settings) -> None:
    project = await ada.project()

    answers = [await send(ada, project, b"archive") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    kept = upload_folder(settings.layout, project["id"])
    assert [file.name for file in kept.iterdir()] == [digest_of(b"archive")]


async def test_only_the_newest_uploads_are_kept(ada: Account, settings: Settings) -> None:
    project = await ada.project()

    for number in range(14):
        await send(ada, project, b"%d" % number)

    kept = {file.name for file in upload_folder(settings.layout, project["id"]).iterdir()}
    assert digest_of(b"13") in kept
    assert len(kept) == 10


async def test_an_upload_belongs_to_its_project(ada: Account, eve: Account) -> None:
    project, hers = await ada.project(), await eve.project()
    digest = (await send(ada, project, b"secret source")).json()["upload"]

    foreign = await eve.client.post(
        "/deployments", json={"project_id": hers["id"], "upload": digest}
    )
    intruding = await send(eve, project, b"mine")

    assert (foreign.status_code, foreign.json()["code"]) == (404, "upload_not_found")
    assert (intruding.status_code, intruding.json()["code"]) == (404, "project_not_found")


async def endless() -> AsyncIterator[bytes]:
    for _ in range(100):
        yield b"x" * 100_000


@pytest.mark.parametrize("announced", ["announced", ""])
async def test_too_much_is_refused_in_words_and_leaves_nothing(
    ada: Account, settings: Settings, announced: str
) -> None:
    project = await ada.project()
    content: bytes | AsyncIterator[bytes] = b"x" * (3 * MEGABYTE) if announced else endless()

    answer = await ada.client.post(f"/projects/{project['id']}/uploads", content=content)

    assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")
    assert "2 MB" in answer.json()["detail"]
    kept = upload_folder(settings.layout, project["id"])
    assert not kept.exists() or not list(kept.iterdir())


async def test_nothing_at_all_is_refused(ada: Account) -> None:
    answer = await send(ada, await ada.project(), b"")

    assert (answer.status_code, answer.json()["code"]) == (422, "upload_empty")


@pytest.mark.parametrize(
    "fields",
    [{"upload": "0" * 63}, {"upload": "../" + "0" * 61}, {"upload": "0" * 64, "branch": "main"}],
)
async def test_a_senseless_upload_is_refused(ada: Account, fields: dict[str, str]) -> None:
    project = await ada.project()

    answer = await ada.client.post("/deployments", json={"project_id": project["id"], **fields})

    assert answer.status_code == 422


async def test_a_key_answers_for_one_upload_only(ada: Account) -> None:
    project = await ada.project()
    one, other = [(await send(ada, project, data)).json()["upload"] for data in (b"1", b"2")]
    key = {"Idempotency-Key": "ci-1"}

    answers = [
        await ada.client.post(
            "/deployments", json={"project_id": project["id"], "upload": digest}, headers=key
        )
        for digest in (one, one, other)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 409]
