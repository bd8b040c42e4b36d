"""The control plane: one parent that imports everything once and forks `api` and `worker`.

Both share the parent's memory. Neither brings the other down, and both end with the parent.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
import time
from collections.abc import Callable

import uvicorn
from sqlalchemy.orm import configure_mappers

from autostack.core.settings import Settings
from autostack.drivers.machine import libc, privileges, users
from autostack.drivers.machine.identity import identify, note
from autostack.entrypoints import http, worker
from autostack.entrypoints.local import journal, sockets
from autostack.entrypoints.local.children import Child, Parent
from autostack.entrypoints.local.errors import PortInUse
from autostack.entrypoints.local.heal import Watch
from autostack.entrypoints.local.slim import Slim
from autostack.entrypoints.postgres import database_url
from autostack.migrations import runner
from autostack.web.wire import Bounded

DATABASE_LIMIT = 50.0
_PORT_LIMIT = 10.0
_DRAIN = 5
_TIDY_EVERY = 60.0
_ANSWERS = (20_000, 20, 50)
"""Thresholds of the api's garbage collector. A page of fifty projects makes tens of thousands of
objects that all go with it: Python's own 700 would look through them a third of the time.
"""


def main() -> None:
    settings, supervisor = Settings(), Watch()
    _write_log(settings)
    listener = _listen(settings)
    url = database_url(settings)
    runner.wait(url, seconds=DATABASE_LIMIT)
    runner.upgrade(url)
    _share_memory()
    family = Parent(
        children=(
            Child("api", _child(_api, settings, listener)),
            Child("worker", _child(_worker, settings, listener)),
        ),
        on_start=lambda child: _note(settings, child),
    )
    family.serve(_chores(settings, supervisor))


def _write_log(settings: Settings) -> None:
    """One line an event, in UTC, to where the launcher has led stderr. Ids and words only."""
    logging.Formatter.converter = time.gmtime
    form = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(format=form, datefmt="%Y-%m-%dT%H:%M:%S", level=logging.WARNING)
    logging.getLogger("autostack").setLevel(settings.log_level.upper())


def _listen(settings: Settings) -> socket.socket:
    """Bound before the first fork, so that a new api refuses nobody; the api of a control that
    was killed may hold it for a moment.
    """
    end = time.monotonic() + _PORT_LIMIT
    while True:
        try:
            return sockets.listen_api(settings)
        except PortInUse:
            if time.monotonic() > end:
                raise
        time.sleep(0.05)


def _share_memory() -> None:
    """What was imported stays in pages that parent and children share."""
    libc.give_back_freed_memory()
    configure_mappers()
    gc.collect()
    gc.freeze()


def _note(settings: Settings, child: Child) -> None:
    found = identify(child.pid) if child.pid else None
    if found:
        note(settings.layout.run / f"{child.name}.pid", found)


def _chores(settings: Settings, supervisor: Watch) -> Callable[[], None]:
    """What the parent does each second: see that the supervisor lives, keep logs and memory
    small. It has used its libraries itself for the last time; its children have theirs mapped.
    """
    tidied = time.monotonic()
    run = settings.layout.run
    slim = Slim([run / "edge-0.pid", run / "control.pid"])

    def chores() -> None:
        nonlocal tidied
        supervisor.look()
        if time.monotonic() - tidied > _TIDY_EVERY:
            tidied = time.monotonic()
            journal.keep_small(settings.layout)
            slim.look()

    return chores


def _child(
    run: Callable[[Settings, socket.socket], None], settings: Settings, listener: socket.socket
) -> Callable[[], None]:
    parent = os.getpid()

    def live() -> None:
        # A killed parent is replaced by a new one with new children: there are no twins.
        privileges.die_with_parent(parent, signal.SIGKILL)
        run(settings, listener)

    return live


def _api(settings: Settings, listener: socket.socket) -> None:
    parent = os.getppid()
    if os.geteuid() == 0:
        privileges.become(users.ensure_user(users.API), groups=[users.ensure_group(users.GROUP)])
        # Changing the user cleared it.
        privileges.die_with_parent(parent, signal.SIGKILL)
    gc.set_threshold(*_ANSWERS)
    config = uvicorn.Config(
        http.create_app(settings),
        http=Bounded,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_DRAIN,
        log_level="warning",
    )
    http.Server(config).run(sockets=[listener])


def _worker(settings: Settings, listener: socket.socket) -> None:
    listener.close()
    asyncio.run(worker.serve(settings))


if __name__ == "__main__":
    main()
