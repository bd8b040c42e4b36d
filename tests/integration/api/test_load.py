"""Many at once: nobody waits for a connection that waits for him."""

import asyncio

from fastapi import FastAPI

from tests.integration.api.conftest import Account

CLIENTS = 50


async def test_fifty_clients_at_once_are_all_answered(ada: Account) -> None:
    project = await ada.project()
    async with asyncio.timeout(100):
        answers = await asyncio.gather(
            *(
                ada.client.get(path)
                for path in ("/auth/me", "/projects", f"/projects/{project['id']}")
                for _ in range(CLIENTS)
            )
        )

    assert {answer.status_code for answer in answers} == {200}


async def test_readers_of_logs_at_once_do_not_starve_each_other(app: FastAPI, ada: Account) -> None:
    project = await ada.project()
    made = await ada.client.post("/deployments", json={"project_id": project["id"]})
    path = f"/deployments/{made.json()['id']}/logs"
    assert app.state.db.engine.pool.size() < CLIENTS

    async with asyncio.timeout(100):
        answers = await asyncio.gather(*(ada.client.get(path) for _ in range(CLIENTS)))

    assert {answer.status_code for answer in answers} == {200}
