"""Start one command without a sandbox: `python -I -S bare_launch.py <description>`; see bare.py.

This process stays as its init: it reaps, and when the command ends, the rest ends with it.
"""

# ruff: noqa: PTH123

import ctypes
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SIGNALED = 128


def main(path: str) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    from autostack.drivers.machine import launch  # noqa: PLC0415 - the path comes first

    told = launch.prepare(path)
    if told["uid"] is not None:
        _reach(told["view"])
    _set_up(told)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if told["ends_with_parent"]:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    child = os.fork()
    if child == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _become(told)
    _note(told)
    os._exit(_look_after(child))


def _reach(paths: list[str]) -> None:
    """Where even this is forbidden, the command says what it cannot read."""
    from autostack.drivers.machine import view  # noqa: PLC0415 - see main

    with suppress(OSError):
        view.enter(paths)


def _set_up(told: dict[str, Any]) -> None:
    """Its own copy of the app, fresh at each start, and a place for temporary files."""
    places = [Path(place) for _, place in told["copies"]]
    for (source, _), place in zip(told["copies"], places, strict=True):
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(source, place, symlinks=True)
    room = Path(told["room"])
    (room / "tmp").mkdir(parents=True, exist_ok=True)
    if told["uid"] is None:
        return
    room.chmod(0o711)
    for place in (room / "tmp", *places):
        _give(place, told["uid"])


def _give(place: Path, uid: int) -> None:
    os.chown(place, uid, uid)
    for folder, folders, files in os.walk(place):
        for name in (*folders, *files):
            os.chown(Path(folder, name), uid, uid, follow_symlinks=False)


def _become(told: dict[str, Any]) -> None:
    from autostack.drivers.machine import launch  # noqa: PLC0415 - see main

    try:
        os.setsid()
        launch.limit(told["limits"])
        launch.drop(told["uid"])
        os.chdir(told["workdir"])
        argv = _argv(told["command"], told["env"]["PATH"])
        os.execve(argv[0], argv, told["env"])  # noqa: S606 - no shell, and nothing inherited
    except OSError as error:
        sys.stderr.write(f"{told['command'][0]}: {error}\n")
        sys.stderr.flush()
    os._exit(127)


def _argv(command: list[str], path: str) -> list[str]:
    """A script of a virtual environment names the place where it was installed, which moved."""
    program = shutil.which(command[0], path=path) or command[0]
    python = Path(program).with_name("python")
    if Path(program).parts[-3:-1] == (".venv", "bin") and python.exists():
        with open(program, "rb") as file:
            if file.read(2) == b"#!":
                return [str(python), program, *command[1:]]
    return [program, *command[1:]]


def _note(told: dict[str, Any]) -> None:
    if told["state"]:
        from autostack.drivers.machine import processes  # noqa: PLC0415 - see main

        processes.note_bare(Path(told["state"]), os.getpid())


def _look_after(child: int) -> int:
    """Until the command ends: then what it left behind is killed, as in a sandbox."""

    def pass_on(number: int, _: object) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    while True:
        pid, status = os.wait()
        if pid == child:
            break
    from autostack.drivers.machine import processes  # noqa: PLC0415 - see main

    processes.kill_below(os.getpid())
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else SIGNALED - code


if __name__ == "__main__":
    main(sys.argv[1])
