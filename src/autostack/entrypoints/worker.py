"""The worker: carries deployments out, and sees that what should run does."""

import asyncio
import fcntl
import logging
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from uuid import UUID

import psycopg
from procrastinate import App, PsycopgConnector, RetryStrategy

from autostack.core.db import Database, Listener
from autostack.core.home import Home
from autostack.core.logs.sink import FileSink
from autostack.core.mail import MailFailed
from autostack.core.settings import Settings
from autostack.drivers.machine import cgroup
from autostack.engine.once import Means
from autostack.entrypoints.postgres import database_url
from autostack.entrypoints.works import build_works
from autostack.features.accounts import service as accounts
from autostack.features.accounts import tasks as letters
from autostack.features.accounts.tasks import Desk
from autostack.features.deployments import removal, tasks
from autostack.features.deployments.reconciler import Reconciler
from autostack.features.deployments.service import RUN, SETTLE
from autostack.features.deployments.tasks import Works
from autostack.features.environments import service as environments
from autostack.features.membership import service as membership
from autostack.features.membership import tasks as invitations
from autostack.features.plans import service as plans
from autostack.features.plans import tasks as planning
from autostack.features.projects import service as projects
from autostack.features.runs import removal as clearing
from autostack.features.runs import service as runs
from autostack.features.runs.tasks import Runs
from autostack.features.traffic.tasks import Ledger

logger = logging.getLogger(__name__)

JOBS_AT_ONCE = 64
"""Most of them wait for a drain or a watch; builds have slots of their own."""
RUNS_AT_ONCE = 16
"""Commands that people run; more of them wait, so that deployments never do."""
HEARTBEAT = 10.0
STALLED = 30.0
LEADER_LOCK = 0x4153_4C454144


async def serve(settings: Settings) -> None:
    """Work until SIGTERM. What is under way then is handed back, to be resumed by the next one."""
    url = database_url(settings)
    db = Database(url, pool=4, overflow=4)
    stop = _stop_signal()
    try:
        async with _alone(settings.layout):
            works = build_works(settings, db)
            logger.info("worker %s started (pid %d)", works.worker, os.getpid())
            rate = settings.build_disk_rate_mb * 1_000_000
            await asyncio.to_thread(cgroup.seat_builds, settings.layout.root, disk_rate=rate)
            await works.sweep()
            work = asyncio.create_task(work_on(works, url))
            await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
            logger.info("worker ends")
            await _end(work)
    finally:
        await db.close()


def _stop_signal() -> asyncio.Future[None]:
    loop = asyncio.get_running_loop()
    stop = loop.create_future()

    def asked() -> None:
        if not stop.done():
            stop.set_result(None)

    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, asked)
    return stop


async def _end(work: asyncio.Task[None]) -> None:
    """Raises what ended it, unless that was us."""
    if not work.done():
        work.cancel()
    with suppress(asyncio.CancelledError):
        await work


@asynccontextmanager
async def _alone(home: Home) -> AsyncGenerator[None]:
    """One worker a home. Who holds the lock knows that every other one of this name is dead:
    the kernel lets go of it at any kind of end.
    """
    home.run.mkdir(parents=True, exist_ok=True)
    file = os.open(home.run / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(0.1)
        yield
    finally:
        os.close(file)


async def work_on(works: Works, url: str) -> None:
    """Everything a worker does, each part started again when it fails."""
    commands = Runs(works, _means(works), at_once=RUNS_AT_ONCE)
    await _until_taken_over(works, commands)
    async with asyncio.TaskGroup() as group:
        group.create_task(_for_ever("jobs", lambda: _jobs(works, commands, url)))
        group.create_task(_for_ever("runs", commands.sweep_for_ever))
        group.create_task(_for_ever("turns", lambda: tasks.take_turns(works)))
        group.create_task(_for_ever("reconciler", lambda: _lead(works, url)))


def _means(works: Works) -> Means:
    home = works.site.home
    return Means(
        runtime=works.tools.runtime,
        open_log=lambda one, secrets: FileSink(home.run_output(one), secrets=secrets),
    )


async def _until_taken_over(works: Works, commands: Runs) -> None:
    while True:
        try:
            await tasks.take_over(works)
            return await commands.take_over()
        except Exception:
            logger.exception("the database does not answer yet")
            await asyncio.sleep(0.5)


async def _for_ever(name: str, part: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await part()
        except Exception:
            logger.exception("%s ended; starting it again", name)
        await asyncio.sleep(1)


async def _jobs(works: Works, commands: Runs, url: str) -> None:
    app = _job_app(works, commands, url)
    async with app.open_async():
        stalled = asyncio.create_task(_retry_stalled(app))
        try:
            await app.run_worker_async(
                name="worker",
                concurrency=JOBS_AT_ONCE,
                delete_jobs="always",
                install_signal_handlers=False,
                shutdown_graceful_timeout=0.1,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=STALLED,
            )
        finally:
            stalled.cancel()


def _job_app(works: Works, commands: Runs, url: str) -> App:
    """The list of what this worker can do."""
    app = App(connector=_connector(url))

    @app.task(name=RUN)
    async def run(deployment_id: str) -> None:
        await tasks.run(works, UUID(deployment_id))

    @app.task(name=SETTLE)
    async def settle(deployment_id: str) -> None:
        await tasks.settle(works, UUID(deployment_id))

    @app.task(name=runs.CARRY_OUT)
    async def carry_out(run_id: str) -> None:
        await commands.carry_out(UUID(run_id))

    @app.task(name=plans.MAKE)
    async def make_plan(request_id: str) -> None:
        await planning.make(
            works.db,
            works.tools,
            UUID(request_id),
            opener=works.opener,
            clock=works.site.clock,
            forget=works.forget,
        )

    @app.task(name=projects.REMOVE)
    async def remove_project(project_id: str) -> None:
        await clearing.clear_project(works, UUID(project_id))
        await removal.remove_project(works, UUID(project_id))

    @app.task(name=environments.REMOVE)
    async def remove_environment(environment_id: str) -> None:
        await clearing.clear(works, [UUID(environment_id)])
        await removal.remove_environment(works, UUID(environment_id))

    if works.desk is not None:
        add_letters(app, works.desk)
    return app


def add_letters(app: App, desk: Desk) -> None:
    """A mail server that is away is asked again: after 5 s, 25 s, 2 min, 10 min."""
    again = RetryStrategy(max_attempts=4, exponential_wait=5, retry_exceptions={MailFailed})

    @app.task(name=accounts.SEND_RESET, retry=again)
    async def send_reset(email: str) -> None:
        await letters.send_reset(desk, email)

    @app.task(name=accounts.SEND_CONFIRMATION, retry=again)
    async def send_confirmation(user_id: str) -> None:
        await letters.send_confirmation(desk, UUID(user_id))

    @app.task(name=accounts.SEND_NOTICE, retry=again)
    async def send_notice(email: str) -> None:
        await letters.send_notice(desk, email)

    @app.task(name=membership.SEND, retry=again)
    async def send_invitation(invitation_id: str) -> None:
        await invitations.send_invitation(desk, UUID(invitation_id))


def _connector(url: str) -> PsycopgConnector:
    return PsycopgConnector(
        conninfo=url, min_size=1, max_size=3, max_idle=60.0, connection_class=Listener
    )


async def _retry_stalled(app: App) -> None:
    """Jobs whose worker was killed stay `doing` for ever otherwise."""
    while True:
        try:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
                await app.job_manager.retry_job(job)
        except Exception:
            logger.exception("looking for stalled jobs failed")
        await asyncio.sleep(STALLED / 3)


async def _lead(works: Works, url: str) -> None:
    """One worker of all leads; the lock goes with its connection."""
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True)
    async with connection:
        while not await _is_leader(connection):  # noqa: ASYNC110 - a lock tells nobody
            await asyncio.sleep(2)
        logger.info("this worker looks after what runs")
        leading = asyncio.create_task(_leading(works))
        try:
            while not leading.done():
                await connection.execute("select 1")
                await asyncio.wait({leading}, timeout=5)
            await leading
        finally:
            leading.cancel()
            await asyncio.wait({leading})


async def _leading(works: Works) -> None:
    ledger = Ledger(works.db, works.tools.router, clock=works.site.clock)
    async with asyncio.TaskGroup() as group:
        group.create_task(Reconciler(works).lead())
        group.create_task(ledger.keep())
        for part in works.beside:
            group.create_task(_awaited(part()))


async def _awaited(part: Awaitable[None]) -> None:
    await part


async def _is_leader(connection: psycopg.AsyncConnection[tuple[bool]]) -> bool:
    found = await connection.execute("select pg_try_advisory_lock(%s)", (LEADER_LOCK,))
    row = await found.fetchone()
    return row is not None and row[0]
