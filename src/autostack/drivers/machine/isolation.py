"""What this machine cannot isolate, and how to mend it."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import uuid4

from autostack.core.host import Host
from autostack.drivers.machine import bare, cgroup, firewall, nftables, sandbox
from autostack.drivers.machine.sandbox import (
    Machine,
    Network,
    Sandbox,
    Way,
    bwrap_path,
    launcher,
)
from autostack.engine.errors import SandboxUnavailable

LIMIT = 20  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that is missing. When `fatal`, no code of others is run here at all."""

    what: str
    todo: str
    fatal: bool = False


def missing(machine: Machine) -> Sequence[Problem]:
    """What apps and builds of this machine are not kept from. Starts one sandbox to see."""
    return list(_found(machine))


def isolates(machine: Machine) -> bool:
    """Whether a sandbox works here; a good answer is remembered. Where it does not: False if
    its owner allows unisolated code, else SandboxUnavailable.
    """
    try:
        _works(machine)
    except _Broken as broken:
        if not machine.unsafe:
            raise SandboxUnavailable(broken.args[0]) from None
        return False
    return True


def describe(
    box: Sandbox, command: Sequence[str], way: Way, *, machine: Machine
) -> tuple[list[str], dict[str, Any]]:
    """The launcher's argv, which wants the path of the description, and the description."""
    if isolates(machine):
        return launcher(), sandbox.describe(box, command, way, machine=machine)
    return bare.launcher(), bare.describe(box, command, way, machine=machine)


def cautions(machine: Machine) -> Sequence[str]:
    """What everybody whose code runs here must be told, each time."""
    try:
        return () if isolates(machine) else (bare.CAUTION,)
    except SandboxUnavailable:
        return ()


def _found(machine: Machine) -> Iterator[Problem]:
    try:
        _works(machine)
    except _Broken as broken:
        todo = (
            "Allow user namespaces (sysctl user.max_user_namespaces, "
            "kernel.apparmor_restrict_unprivileged_userns=0), or give the container those rights."
        )
        said = f"The sandbox does not start: {broken.args[0]}."
        what = f"{said} {bare.CAUTION}" if machine.unsafe else said
        yield Problem(what=what, todo=todo, fatal=not machine.unsafe)
    if not machine.root:
        yield Problem(
            what="Apps share one user and the host's network; their memory, processors and "
            "processes are not capped, and builds only step back by niceness.",
            todo="Run the platform as root to give each app its own.",
        )
        return
    if cgroup.version() is None:
        yield Problem(
            what="Memory, CPU and processes of apps are not capped: control groups are read-only.",
            todo="Mount /sys/fs/cgroup writable.",
        )
    elif not cgroup.weighs():
        yield Problem(
            what="Processors are not capped, and builds only step back by niceness: the control "
            "groups here lack `cpu`.",
            todo="Mount the `cpu` controller below /sys/fs/cgroup.",
        )
    yield from network_problems(machine.host)


def network_problems(host: Host) -> Iterator[Problem]:
    if host.subnet is None:
        yield Problem(
            what="Apps share the host's network: no bridge could be made.",
            todo="Allow CAP_NET_ADMIN and load the kernel's bridge, veth and nf_tables parts.",
        )
        return
    for chain in firewall.obstacles():
        where = f"{nftables.FAMILIES[chain.family]} {chain.table} {chain.name}"
        yield Problem(
            what=f"Apps do not reach the internet: the firewall drops what is forwarded ({where}).",
            todo=(
                f"Allow the bridge there: nft insert rule {where} iifname {host.bridge} accept; "
                f"nft insert rule {where} oifname {host.bridge} ct state established,related accept"
            ),
        )


class _Broken(Exception):
    pass


@cache
def _works(machine: Machine) -> None:
    """Start one as it is started for an app, but on the host's network."""
    if bwrap_path() is None:
        raise _Broken("bubblewrap is not installed")
    if os.uname().machine not in {"x86_64", "aarch64"}:
        raise _Broken(f"there is no system call filter for {os.uname().machine}")
    box = Sandbox(id=uuid4(), uid=machine.host.first_uid, network=Network.HOST, workdir="/")
    told = sandbox.describe(box, ["/bin/true"], Way(), machine=machine)
    told["cgroups"] = []
    fd = os.memfd_create("autostack")
    try:
        os.write(fd, json.dumps(told).encode())
        os.lseek(fd, 0, os.SEEK_SET)
        _start([*launcher(), f"/dev/fd/{fd}"], fd)
    finally:
        os.close(fd)


def _start(argv: Sequence[str], fd: int) -> None:
    try:
        done = subprocess.run(
            argv, pass_fds=(fd,), env={}, capture_output=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        raise _Broken(f"no answer within {LIMIT} seconds") from None
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise _Broken(lines[-1] if lines else f"it ended with {done.returncode}")
