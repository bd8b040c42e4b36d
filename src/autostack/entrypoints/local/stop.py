"""`autostack down`."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

from autostack.core import host
from autostack.core.home import Home
from autostack.core.settings import Settings
from autostack.drivers.machine import network
from autostack.drivers.machine.identity import noted
from autostack.drivers.machine.sandbox import Machine
from autostack.drivers.runtimes.process import ProcessRuntime
from autostack.entrypoints.local import heal, house, leftovers, lock, supervisor
from autostack.entrypoints.local.errors import NotStopped
from autostack.entrypoints.local.leftovers import Leftover
from autostack.entrypoints.local.programs import (
    CONTROL,
    OUTLIVING,
    POSTGRES,
    PROGRAMS,
    Program,
)
from autostack.entrypoints.local.supervisor import Supervisor

Say = Callable[[str], None]
APP_GRACE = timedelta(seconds=10)
MARGIN = 5.0
# The supervisor ends one group after the other, each with a deadline of its own.
SHUTDOWN_LIMIT = 120.0


def down(settings: Settings, *, apps: bool, say: Say) -> None:
    home = settings.layout
    if not house.lock_file(home).exists():
        say(f"There is no platform in {home.root}.")
        return
    with lock.held(home):
        heal.call_off(home)
        if apps:
            end_everything(home)
            say("Everything has ended, apps included.")
        else:
            _end_control(home, say)


def _end_control(home: Home, say: Say) -> None:
    """Leave supervisor, edge, logs and apps as they are: they serve without the control plane."""
    running = supervisor.reach(home)
    if running is None:
        kept = (CONTROL, POSTGRES)
        leftovers.end([one for one in leftovers.find(home) if one.program in kept])
        say("The supervisor is not running. `autostack down --apps` ends what is left.")
        return
    for program in (CONTROL, POSTGRES):
        _stop(running, program)
    say("The control plane is down; apps go on serving. `autostack down --apps` ends them too.")


def _stop(running: Supervisor, *programs: Program) -> None:
    patience = max(program.stop_seconds for program in programs) + MARGIN
    running.stop(*(program.name for program in programs), seconds=patience)


def end_everything(home: Home) -> None:
    """Afterwards no process of this platform runs, and its network is gone."""
    running = supervisor.reach(home)
    if running:
        # First of all, or it would bring back the apps that end now.
        _stop(running, CONTROL)
    taken = host.load(home)
    if taken:
        asyncio.run(_end_apps(home, taken))
    end_platform(home)
    if taken:
        network.remove(taken)


def take_back(home: Home, *, keep: Sequence[Leftover]) -> None:
    """End what a start that failed has begun; what served visitors before it serves on."""
    if not keep:
        end_platform(home)
        return
    process, running = noted(home.run / "supervisor.pid"), supervisor.reach(home)
    if running:
        _stop(running, CONTROL)
        _stop(running, *(each for each in PROGRAMS if each not in {CONTROL, *OUTLIVING}))
    if process:
        # Stand-ins die with it, without a word to those they stand in for.
        process.send(signal.SIGKILL)
        process.wait(MARGIN)
    leftovers.end([each for each in leftovers.find(home) if each.program not in OUTLIVING])


async def _end_apps(home: Home, taken: host.Host) -> None:
    """All at once, orphans too: a supervisor ends one after the other."""
    runtime = ProcessRuntime(Machine(home=home, host=taken))
    ids = [UUID(room.name) for room in home.instances.glob("*-*-*-*-*")]
    await asyncio.gather(*(runtime.stop(each, grace=APP_GRACE) for each in ids))


def end_platform(home: Home) -> None:
    """End the supervisor with all it runs, and the platform's programs that outlived one."""
    process, running = noted(home.run / "supervisor.pid"), supervisor.reach(home)
    if running:
        _stop(running, CONTROL)
        _stop(running, *(each for each in PROGRAMS if each is not CONTROL))
        running.shut_down()
    elif process:
        process.send(signal.SIGTERM)
    if process and not process.wait(SHUTDOWN_LIMIT):
        process.send(signal.SIGKILL)
    leftovers.end(leftovers.find(home))
    left = [one.name for one in leftovers.find(home)]
    if left:
        raise NotStopped(left)
