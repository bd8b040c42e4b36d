"""Start one of the platform's programs: its log, its mark, its user, then its module.

Run by the supervisor as `python -m autostack.entrypoints.launch NAME NUMBER`.
"""

import json
import os
import runpy
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from autostack.core.errors import AutostackError
from autostack.core.home import Home
from autostack.core.settings import Settings
from autostack.drivers.machine import identity, privileges, users
from autostack.entrypoints.local import environ, handover
from autostack.entrypoints.local.programs import (
    OUTLIVING,
    Program,
    arguments,
    by_name,
    processes,
)
from autostack.entrypoints.local.standin import stand_in

# sysexits.h, EX_CONFIG: trying again does not help.
REFUSED = 78


def main() -> None:
    _take_settings()
    program, number, settings = by_name(sys.argv[1]), int(sys.argv[2]), Settings()
    home, name = settings.layout, processes(program)[number]
    _print_to(home.platform_log(program.name))
    _end_with_the_supervisor(home)
    if program in OUTLIVING and (predecessor := identity.noted(home.run / f"{name}.pid")):
        stand_in(predecessor, program)
    _leave_mark(home.run / f"{name}.pid")
    privileges.outlive_parent()
    with (home.run / f"{name}.refusal").open("w", encoding="utf-8") as refusal:
        _give_up_root(program)
        _hide_secrets(program, settings)
        _run(program, arguments(program, number, settings), refusal)


def _end_with_the_supervisor(home: Home) -> None:
    """Until its mark is left: the next supervisor finds it by that, and would start a twin."""
    supervisor = identity.noted(home.run / "supervisor.pid")
    privileges.die_with_parent(supervisor.pid if supervisor else 0, signal.SIGKILL)


def _take_settings() -> None:
    told = handover.take(Home(Path(os.environ["AUTOSTACK_HOME"])), os.environ)
    os.environ.clear()
    os.environ.update(told)


def _print_to(log: Path) -> None:
    fd = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    os.close(fd)


def _leave_mark(file: Path) -> None:
    me = identity.identify(os.getpid())
    if me is not None:
        identity.note(file, me)


def _give_up_root(program: Program) -> None:
    if os.geteuid() == 0 and program.user and not program.drops_itself:
        privileges.become(users.ensure_user(program.user))


def _hide_secrets(program: Program, settings: Settings) -> None:
    if program.secrets:
        return
    shown = environ.without_secrets(os.environ, settings)
    os.environ.clear()
    os.environ.update(shown)


def _run(program: Program, told: Sequence[str], refusal: TextIO) -> None:
    """Run the module as the main one; a refusal in words is kept for whoever waits in `up`."""
    sys.argv = [program.module, *told]
    # httpx offers a command line of its own and loads 70 modules for it: 3 MB nobody here uses.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    try:
        runpy.run_module(program.module, run_name="__main__", alter_sys=True)
    except AutostackError as error:
        json.dump({"message": str(error), "hint": error.hint}, refusal)
        refusal.flush()
        sys.stderr.write(f"{error} {error.hint}\n")
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
