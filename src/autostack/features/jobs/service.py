"""Work for later, in the caller's transaction: both happen, or neither does."""

from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

if TYPE_CHECKING:
    from procrastinate import App

Argument = str | int | bool | UUID | None


async def enqueue(
    session: AsyncSession,
    task: str,
    *,
    lock: str | None = None,
    queueing_lock: str | None = None,
    **arguments: Argument,
) -> None:
    """Ask a worker for `task` (`deployment.run`); it may run twice.

    Jobs of one `lock` run one after the other. Of one `queueing_lock` only one waits: asking
    again while it does changes nothing.
    """
    from procrastinate.exceptions import AlreadyEnqueued  # noqa: PLC0415 - 20 MB, first job only

    values = {
        name: str(value) if isinstance(value, UUID) else value for name, value in arguments.items()
    }
    connection = await session.connection()
    raw = await connection.get_raw_connection()
    deferrer = _app().configure_task(
        task, lock=lock, queueing_lock=queueing_lock, connection=raw.driver_connection
    )
    try:
        # The session's own savepoint would wait for a query of its own, and never be made.
        async with connection.begin_nested():
            await deferrer.defer_async(**values)
    except AlreadyEnqueued:
        return


@cache
def _app() -> "App":
    """Never opened: every job goes through the caller's own connection."""
    from procrastinate import App, PsycopgConnector  # noqa: PLC0415 - as above

    return App(connector=PsycopgConnector())
