"""Deployments over the api; no worker runs here, so they wait."""

import asyncio
from datetime import timedelta

import pytest

from tests.clock import FakeClock
from tests.integration.api.conftest import Account


async def test_a_deployment_is_accepted_and_waits(ada: Account) -> None:
    project = await ada.project()

    answer = await ada.client.post("/deployments", json={"project_id": project["id"]})

    assert answer.status_code == 200
    made = answer.json()
    assert made["status"] == "pending"
    assert (made["number"], made["environment"], made["kind"]) == (1, "production", "deploy")
    detail = (await ada.client.get(f"/deployments/{made['id']}")).json()
    assert detail["steps"] == []
    assert detail["settled_at"] is None


async def test_an_unknown_environment_names_the_known_ones(ada: Account) -> None:
    project = await ada.project()

    body = {"project_id": project["id"], "environment": "stagign"}
    answer = await ada.client.post("/deployments", json=body)

    assert answer.status_code == 404
    assert "production" in answer.json()["hint"]


async def test_a_newer_request_supersedes_the_waiting_one(ada: Account, clock: FakeClock) -> None:
    project = await ada.project()
    body = {"project_id": project["id"]}
    first = (await ada.client.post("/deployments", json=body)).json()
    clock.advance(timedelta(seconds=1))

    await ada.client.post("/deployments", json=body)

    listed = (await ada.client.get("/deployments")).json()["items"]
    assert [(one["number"], one["status"]) for one in listed] == [
        (2, "pending"),
        (1, "superseded"),
    ]
    again = await ada.client.post(f"/deployments/{first['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "deployment_finished")


async def test_an_idempotency_key_makes_one_deployment_of_many_requests(ada: Account) -> None:
    project = await ada.project()
    body, key = {"project_id": project["id"]}, {"Idempotency-Key": "push-1"}

    answers = await asyncio.gather(
        *(ada.client.post("/deployments", json=body, headers=key) for _ in range(4))
    )
    other = await ada.client.post("/deployments", json={**body, "branch": "next"}, headers=key)

    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_mismatch")
    assert len((await ada.client.get("/deployments")).json()["items"]) == 1


async def test_a_waiting_deployment_is_canceled_at_once(ada: Account) -> None:
    project = await ada.project()
    made = (await ada.client.post("/deployments", json={"project_id": project["id"]})).json()

    answer = await ada.client.post(f"/deployments/{made['id']}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")


@pytest.mark.attack("Z03")
async def test_what_others_own_is_not_there(ada: Account, eve: Account) -> None:
    project = await ada.project()
    made = (await ada.client.post("/deployments", json={"project_id": project["id"]})).json()
    place, deployment = made["environment_id"], made["id"]

    answers = [
        await eve.client.post("/deployments", json={"project_id": project["id"]}),
        await eve.client.get(f"/deployments/{deployment}"),
        await eve.client.get(f"/deployments/{deployment}/events"),
        await eve.client.post(f"/deployments/{deployment}/cancel"),
        await eve.client.post(f"/deployments/{deployment}/rollback"),
        await eve.client.post(f"/environments/{place}/rollback", json={}),
        await eve.client.post(f"/environments/{place}/restart"),
        await eve.client.post(f"/environments/{place}/start"),
        await eve.client.post(f"/environments/{place}/stop"),
        await eve.client.put(f"/environments/{place}/scale", json={"processes": {"web": 2}}),
        await eve.client.put(f"/environments/{place}/limits", json={"processes": {"web": {}}}),
        await eve.client.get(f"/environments/{place}/instances"),
        await eve.client.get(f"/environments/{place}/releases"),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert (await eve.client.get("/deployments")).json()["items"] == []
    assert (await ada.client.get(f"/deployments/{deployment}")).json()["status"] == "pending"


async def test_nothing_deployed_yet_is_said_with_what_to_do(ada: Account) -> None:
    project = await ada.project()
    made = (await ada.client.post("/deployments", json={"project_id": project["id"]})).json()
    place = made["environment_id"]

    answers = [
        await ada.client.post(f"/environments/{place}/restart"),
        await ada.client.post(f"/environments/{place}/rollback", json={}),
        await ada.client.put(f"/environments/{place}/scale", json={"processes": {"web": 2}}),
        await ada.client.put(f"/environments/{place}/limits", json={"processes": {"web": {}}}),
    ]

    assert {answer.json()["code"] for answer in answers} == {"nothing_deployed"}


@pytest.mark.attack("G09")
async def test_a_branch_that_could_be_an_option_is_refused(ada: Account) -> None:
    project = await ada.project()

    body = {"project_id": project["id"], "branch": "--upload-pack=x"}
    answer = await ada.client.post("/deployments", json=body)

    assert answer.status_code == 422


@pytest.mark.parametrize("caps", [{"memory_mb": 8}, {"cpu": 0}, {"pids": 1}])
async def test_limits_nothing_could_run_with_are_refused(
    ada: Account, caps: dict[str, float]
) -> None:
    project = await ada.project()

    overrides = {"overrides": {"limits": {"web": caps}}}
    answer = await ada.client.patch(f"/projects/{project['id']}", json=overrides)

    assert answer.status_code == 422


async def test_a_projects_limits_are_kept_and_shown(ada: Account) -> None:
    project = await ada.project()

    overrides = {"overrides": {"limits": {"web": {"memory_mb": 1024}}}}
    answer = await ada.client.patch(f"/projects/{project['id']}", json=overrides)

    kept = answer.json()["overrides"]["limits"]
    assert kept == {"web": {"memory_mb": 1024, "cpu": None, "pids": None}}


async def test_a_deployment_that_was_just_asked_for_has_no_place_in_line_yet(ada: Account) -> None:
    project = await ada.project()
    made = (await ada.client.post("/deployments", json={"project_id": project["id"]})).json()

    assert made["queue"] is None
    assert (await ada.client.get(f"/deployments/{made['id']}")).json()["queue"] is None
