"""`autostack down`."""

import signal
from collections.abc import Callable

from autostack.core.home import Home
from autostack.core.settings import Settings
from autostack.drivers.machine.identity import noted
from autostack.entrypoints.local import house, leftovers, lock, supervisor
from autostack.entrypoints.local.errors import NotStopped
from autostack.entrypoints.local.programs import CONTROL, POSTGRES

Say = Callable[[str], None]
# Apps have their own grace, and the supervisor ends groups one after the other.
SHUTDOWN_LIMIT = 120.0


def down(settings: Settings, *, apps: bool, say: Say) -> None:
    home = settings.layout
    if not house.lock_file(home).exists():
        say(f"There is no platform in {home.root}.")
        return
    with lock.held(home):
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
        running.stop(program.name)
    say("The control plane is down; apps go on serving. `autostack down --apps` ends them too.")


def end_everything(home: Home) -> None:
    """Afterwards no process of this platform runs."""
    process = noted(home.run / "supervisor.pid")
    if process:
        # supervisord's own word for an orderly end; also when its socket does not answer.
        process.send(signal.SIGTERM)
        if not process.wait(SHUTDOWN_LIMIT):
            process.send(signal.SIGKILL)
    leftovers.end(leftovers.find(home))
    left = [one.name for one in leftovers.find(home)]
    if left:
        raise NotStopped(left)
