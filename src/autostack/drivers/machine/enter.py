"""Run one command inside a sandbox that lives: `python -I -S enter.py <description>`.

It becomes what the app in there is: its user, its control groups and caps, all its namespaces,
its filter of system calls. All imports come before the door: what has the same path behind it is
not ours.
"""

# pathlib would cost 4 ms of each question.
# ruff: noqa: PTH100, PTH123

import fcntl
import json
import os
import signal
import sys
from typing import Any

KINDS = ("cgroup", "ipc", "uts", "pid", "mnt")
SIGNALED = 128
NO_PROGRAM = 127


def main(path: str) -> None:
    """What needs root first, then the way in, then no way back."""
    sys.path.insert(0, os.path.abspath(f"{__file__}/../../../.."))
    from autostack.drivers.machine import launch, libc  # noqa: PLC0415 - the path comes first

    with open(path, encoding="utf-8") as file:
        told: dict[str, Any] = json.load(file)
    doors = _doors(told["init"])
    launch.join(told["cgroups"])
    if "net" in doors:
        libc.setns(doors.pop("net"), 0)
    launch.limit(told["limits"])
    launch.drop(told["uid"])
    _enter(doors)
    child = os.fork()
    if child == 0:
        _become(told)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else SIGNALED - code)


def _doors(init: int) -> dict[str, int]:
    """Namespaces in which we are not; without a sandbox there are hardly any."""
    found: dict[str, int] = {}
    for kind in ("net", "user", *KINDS):
        door = os.open(f"/proc/{init}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
        if os.stat(f"/proc/self/ns/{kind}").st_ino == os.fstat(door).st_ino:  # noqa: PTH116
            os.close(door)
        else:
            found[kind] = door
    return found


def _enter(doors: dict[str, int]) -> None:
    """bubblewrap makes a user namespace that the others belong to, and may go on to a second one,
    in which the app has no rights over them. A user may enter what belongs to it.
    """
    from autostack.drivers.machine import libc  # noqa: PLC0415 - loaded by now

    last = doors.pop("user", None)
    if "mnt" in doors:
        owner = fcntl.ioctl(doors["mnt"], libc.NS_GET_USERNS)
        libc.setns(owner, 0)
        if last is not None and os.fstat(owner).st_ino == os.fstat(last).st_ino:
            last = None
    for door in doors.values():
        libc.setns(door, 0)
    if last is not None:
        libc.setns(last, 0)


def _become(told: dict[str, Any]) -> None:
    from autostack.drivers.machine import libc  # noqa: PLC0415 - loaded by now

    code = NO_PROGRAM
    try:
        os.setsid()
        libc.end_with_parent(signal.SIGKILL)
        os.chdir(told["workdir"])
        if told["seccomp"]:
            libc.filter_calls(bytes.fromhex(told["seccomp"]))
        _execute(told["command"], told["env"])
    except OSError as error:
        os.write(2, f"{told['command'][0]}: {error.strerror}\n".encode())
    finally:
        os._exit(code)


def _execute(command: list[str], env: dict[str, str]) -> None:
    """The library's own search would import something from in here."""
    name = command[0]
    places = [""] if "/" in name else [f"{place}/" for place in env["PATH"].split(":")]
    for place in places:
        try:
            os.execve(place + name, command, env)  # noqa: S606 - no shell, and nothing inherited
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
    raise FileNotFoundError(2, "no such program")


if __name__ == "__main__":
    main(sys.argv[1])
