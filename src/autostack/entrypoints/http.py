"""The api: every router written out, and what endpoints ask for, wired once."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from autostack.core.clock import Clock, utc_now
from autostack.core.crypto import Sealer, Vault, derive
from autostack.core.db import Database
from autostack.core.errors import Unavailable
from autostack.core.keyring import Followed
from autostack.core.settings import Settings
from autostack.engine.release import MIB
from autostack.entrypoints import built
from autostack.entrypoints.postgres import database_url
from autostack.features.accounts import endpoints as accounts
from autostack.features.accounts import providers
from autostack.features.accounts.passwords import Passwords
from autostack.features.accounts.service import Accounts, Policy
from autostack.features.accounts.tokens import Signer
from autostack.features.audit import endpoints as audit
from autostack.features.deployments import endpoints as deployments
from autostack.features.disk import endpoints as disk
from autostack.features.environments import endpoints as environments
from autostack.features.events.hub import Hub
from autostack.features.logs import endpoints as logs
from autostack.features.membership import endpoints as membership
from autostack.features.metrics import endpoints as metrics
from autostack.features.overview import endpoints as overview
from autostack.features.plans import endpoints as plans
from autostack.features.projects import activity, closing
from autostack.features.projects import endpoints as projects
from autostack.features.runs import endpoints as runs
from autostack.features.traffic import endpoints as traffic
from autostack.features.uploads import endpoints as uploads
from autostack.features.variables import endpoints as variables
from autostack.features.webhooks import endpoints as webhooks
from autostack.web import dashboard, openapi, problems, reference
from autostack.web.guard import BODY_LIMIT, Guard, Rules
from autostack.web.limits import Counter, Limits
from autostack.web.measure import Measure, Meters
from autostack.web.sse import Streams

ROUTERS: tuple[APIRouter, ...] = (
    *accounts.ROUTERS,
    closing.router,
    plans.router,
    projects.router,
    membership.router,
    environments.router,
    variables.router,
    uploads.router,
    deployments.router,
    webhooks.router,
    traffic.router,
    runs.router,
    logs.router,
    disk.router,
    activity.router,
    audit.router,
    overview.router,
    metrics.router,
)

TICK = 1.0
"""Seconds between two updates of the Date header."""


class SecretsMissing(Unavailable):
    hint = "Run `autostack up`, which makes them, or restore the secrets directory."

    def __init__(self, file: Path) -> None:
        super().__init__(f"{file} cannot be read.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Secrets of the api. `setup_code` lets the first user in when others can reach us."""

    secret: str = field(repr=False)
    seal: str
    seal_now: Callable[[], str] | None = field(default=None, repr=False)
    """The sealing key of this moment: a rotation changes it while the api runs."""
    setup_code: str | None = field(default=None, repr=False)


class Server(uvicorn.Server):
    """Ends open streams first: a graceful stop would wait for them for ever."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._asked = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """uvicorn's own looks ten times a second whether it shall end, also when nobody asks."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), TICK)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._asked.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        app = self.config.app
        if isinstance(app, FastAPI):
            app.state.streams.close()
        await super().shutdown(sockets)


def create_app(settings: Settings) -> FastAPI:
    """The api of an installed platform, with the keys in its home."""
    return assemble(settings, read_keys(settings), url=database_url(settings))


def read_keys(settings: Settings) -> Keys:
    secrets = settings.layout.secrets
    code = secrets / "setup.code"
    return Keys(
        secret=settings.secret_key or _read(secrets / "secret.key"),
        seal=_read(secrets / "seal.pub"),
        seal_now=Followed(secrets / "seal.pub"),
        setup_code=_read(code) if code.exists() else None,
    )


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SecretsMissing(file) from error


def assemble(
    settings: Settings,
    keys: Keys,
    *,
    url: str,
    clock: Clock = utc_now,
    streams: Streams | None = None,
) -> FastAPI:
    """Wire everything by hand. `url` is the database's."""
    app = FastAPI(
        title="AutoStack",
        version=version("autostack"),
        description="From a Git repository to a running application.",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.settings, app.state.clock = settings, clock
    app.state.db, app.state.hub = Database(url), Hub(url)
    app.state.sealer = Sealer(keys.seal, now=keys.seal_now)
    app.state.vault = Vault(keys.secret)
    app.state.accounts = _accounts(settings, keys, app.state.vault)
    app.state.oauth = providers.configured(settings)
    app.state.limits, app.state.streams = Limits(_shared(settings)), streams or Streams()
    app.state.meters = Meters()
    app.state.metrics_token = derive(keys.secret, "metrics").hex()
    for router in ROUTERS:
        app.router.routes += router.routes
    _add_pages(app)
    problems.install(app)
    openapi.install(app)
    app.add_middleware(Guard, rules=_rules(settings))
    app.add_middleware(Measure, meters=app.state.meters)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    yield
    app.state.streams.close()
    await app.state.limits.close()
    await app.state.hub.close()
    await app.state.db.close()


def _shared(settings: Settings) -> Counter | None:
    if settings.redis_url is None:
        return None
    from autostack.web.redis_counter import InRedis  # noqa: PLC0415 - 15 MB few platforms need

    return InRedis(settings.redis_url)


def _accounts(settings: Settings, keys: Keys, vault: Vault) -> Accounts:
    policy = Policy(
        open=settings.registration == "open",
        open_here=settings.registration == "auto" and not settings.reachable,
        invited=settings.registration in {"auto", "invite"},
        needs_code=settings.reachable,
        setup_code=keys.setup_code,
    )
    return Accounts(
        signer=Signer(keys.secret),
        passwords=Passwords(),
        policy=policy,
        vault=vault,
        mail=settings.smtp_url is not None,
    )


def _rules(settings: Settings) -> Rules:
    names = {settings.bind.lower(), socket.gethostname().lower()}
    public = urlsplit(settings.public_url) if settings.public_url else None
    if public and public.hostname:
        names.add(public.hostname)
    return Rules(
        hosts=frozenset(names),
        large={uploads.PATH: settings.source_limit_mb * MIB + BODY_LIMIT},
        raw={webhooks.PATH: webhooks.BODY_LIMIT},
        https=bool(public and public.scheme == "https"),
        trusted=settings.trusted_proxies,
    )


def _add_pages(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def start() -> RedirectResponse:
        return RedirectResponse(dashboard.PREFIX)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        headers = {"Content-Security-Policy": reference.POLICY}
        return HTMLResponse(reference.page(app.openapi()), headers=headers)

    pages = dashboard.Dashboard(built.folder())
    app.router.routes.append(Route(dashboard.PREFIX + "{page:path}", pages))
