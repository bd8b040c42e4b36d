"""Letters as the worker sends them: its own jobs, over a real mail server."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from procrastinate import App, PsycopgConnector

from autostack.core.db import Database
from autostack.core.mail import Post, Server
from autostack.entrypoints.worker import add_letters
from autostack.features.accounts.tasks import Desk
from tests.clock import FakeClock
from tests.mailbox import Mailbox

SITE = "https://deploy.example.com"


@dataclass(frozen=True, slots=True)
class Mail:
    """The mail of one platform: `deliver` does what a worker would do now."""

    box: Mailbox
    url: str
    db: Database = field(repr=False)
    clock: FakeClock = field(repr=False)

    async def deliver(self) -> None:
        server = Server(host="127.0.0.1", port=self.box.port, security="none")
        post = Post(server, sender="autostack@example.com")
        app = App(connector=PsycopgConnector(conninfo=self.url))
        add_letters(app, Desk(db=self.db, post=post, site=SITE, clock=self.clock))
        async with app.open_async():
            await app.run_worker_async(
                wait=False, install_signal_handlers=False, delete_jobs="always"
            )


async def signed_in(client: httpx.AsyncClient, email: str, password: str, **more: Any) -> bool:  # noqa: ANN401
    body = {"email": email, "password": password, **more}
    return (await client.post("/auth/login", json=body)).status_code == 200
