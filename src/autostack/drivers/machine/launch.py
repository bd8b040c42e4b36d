"""Start one sandbox: `python -I -S launch.py <description>`; see sandbox.describe.

Runs as root where there is root, keeps its imports few, and becomes bubblewrap in the end.
"""

# pathlib would cost 4 ms of each start.
# ruff: noqa: PTH100, PTH103, PTH118, PTH120, PTH123

import json
import os
import resource
import sys
from contextlib import suppress
from typing import Any

Description = dict[str, Any]
BACKGROUND = 10
"""Niceness of builds."""
FIRST_TO_GO = 900
"""When memory runs out everywhere, builds go before apps, and apps (500) before the platform."""


def main(path: str) -> None:
    """In this order: what needs root first, then the way down, then no way back."""
    # Isolated mode leaves the package's own directory out of the search path.
    sys.path.insert(0, os.path.abspath(f"{__file__}/../../../.."))
    told = prepare(path)
    info = _open_state(told["state"])
    _see(told)
    argv = _argv(told, info)
    limit(told["limits"])
    drop(told["uid"])
    os.execve(told["program"], argv, {})  # noqa: S606 - no shell, and nothing inherited


def prepare(path: str) -> Description:
    """What sandboxes and those who must do without have in common."""
    with open(path, encoding="utf-8") as file:
        told: Description = json.load(file)
    _open_output(told["output"], told["uid"])
    join(told["cgroups"])
    # A description of an earlier version does not say.
    if told.get("background"):
        _step_back()
    _plug_in(told["network"], told["uid"])
    _keep_to_ourselves()
    return told


def _open_output(path: str | None, uid: int) -> None:
    """Append-only: the reader punches holes behind itself. Never through a link."""
    _replace(0, os.open(os.devnull, os.O_RDONLY))
    if path is None:
        return
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(path, flags, 0o640)
    if os.geteuid() == 0:
        # An app may open /dev/stdout again. The program that reads logs has a group of its own,
        # which the directory carries, and frees what it has read.
        os.fchown(fd, uid, os.stat(folder).st_gid)  # noqa: PTH116
        os.fchmod(fd, 0o660)
    os.dup2(fd, 1)
    _replace(2, fd)


def _replace(place: int, fd: int) -> None:
    os.dup2(fd, place)
    os.close(fd)


def join(files: list[str]) -> None:
    for path in files:
        with open(path, "w", encoding="ascii") as file:
            file.write("0")
    if files:
        # When memory runs out everywhere, apps go before the platform does.
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("500")


def _step_back() -> None:
    """What apps leave of processor and disk; this also works without groups and root."""
    from autostack.drivers.machine import libc  # noqa: PLC0415 - only where needed

    with suppress(OSError):
        os.nice(BACKGROUND)
    with suppress(OSError):
        libc.use_idle_disk()
    # With a group for each session the kernel weighs those, not the processes in them.
    _tell("/proc/self/autogroup", str(BACKGROUND))
    _tell("/proc/self/oom_score_adj", str(FIRST_TO_GO))


def _tell(path: str, text: str) -> None:
    with suppress(OSError), open(path, "w", encoding="ascii") as file:
        file.write(text)


def _plug_in(network: Description | None, uid: int) -> None:
    """A network namespace of its own, which ends with its last process."""
    if network is None:
        return
    from autostack.drivers.machine import libc, netlink  # noqa: PLC0415 - only where needed

    outside = netlink.Netlink()
    bridge = outside.index(network["bridge"])
    libc.unshare(libc.CLONE_NEWNET)
    inside = netlink.Netlink()
    namespace = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    # One left by a predecessor whose namespace is still being taken down.
    netlink.remove_link(outside, network["link"])
    netlink.add_veth(
        outside, network["link"], address=network["address"], bridge=bridge, namespace=namespace
    )
    with open("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "w", encoding="ascii") as file:
        file.write("1")
    netlink.bring_up(inside, "lo")
    netlink.add_address(inside, "eth0", network["address"], network["prefix"])
    netlink.bring_up(inside, "eth0")
    netlink.add_default_route(inside, network["gateway"])
    os.close(namespace)
    if network["forwards"]:
        from autostack.drivers.machine import loopback  # noqa: PLC0415 - only where needed

        loopback.open_loopback(network["forwards"])
    # A description of an earlier version has none.
    if network.get("carries"):
        from autostack.drivers.machine import forwarder  # noqa: PLC0415 - only where needed

        # This process becomes bubblewrap, which ends with the app.
        forwarder.carry(network["address"], network["carries"], lives_with=os.getpid(), uid=uid)


def _keep_to_ourselves() -> None:
    """Whatever was handed down to us ends here; what bubblewrap gets is opened after this."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(name) > 2:  # noqa: PLR2004 - stdin, stdout, stderr
            with suppress(OSError):
                os.set_inheritable(int(name), False)  # noqa: FBT003 - the library's signature


def _open_state(path: str | None) -> int | None:
    """Where bubblewrap writes the pid of the sandbox's init."""
    if path is None:
        return None
    os.makedirs(path, mode=0o700, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    return os.open(os.path.join(path, "init.json"), flags, 0o600)


def _see(told: Description) -> None:
    """A view of the file system in which the sandbox's own user reaches what it needs."""
    if told["uid"] is None:
        return
    from autostack.drivers.machine import view  # noqa: PLC0415 - only where needed

    view.leave_host()
    kept = list(told["view"])
    if told["scratch"]:
        os.makedirs(told["room"], exist_ok=True)
        view.cover(told["room"], size=told["room_size"])
        kept.append(told["room"])
    for source, place in told["scratch"]:
        view.overlay(source, place)
    view.reach(kept)


def _argv(told: Description, info: int | None) -> list[str]:
    options = list(told["options"])
    for path, content in told["files"].items():
        options += ["--perms", "0444", "--file", str(_memory(content.encode())), path]
    options += ["--remount-ro", "/", "--seccomp", str(_memory(bytes.fromhex(told["seccomp"])))]
    if info is not None:
        os.set_inheritable(info, True)  # noqa: FBT003 - the library's signature
        options += ["--info-fd", str(info)]
    joined = "\0".join(options) + "\0"
    return ["bwrap", "--args", str(_memory(joined.encode())), "--", *told["command"]]


def _memory(content: bytes) -> int:
    """A file without a name, left open for bubblewrap, which closes it."""
    fd = os.memfd_create("autostack", 0)
    os.write(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def limit(limits: dict[str, int]) -> None:
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        cap = value if hard == resource.RLIM_INFINITY or os.geteuid() == 0 else min(value, hard)
        resource.setrlimit(kind, (cap, cap))


def drop(uid: int | None) -> None:
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    os.umask(0o022)
    from autostack.drivers.machine import libc  # noqa: PLC0415 - after the view, before the end

    libc.no_new_privileges()


if __name__ == "__main__":
    main(sys.argv[1])
