"""What code in a sandbox can see and do, told by code in a sandbox."""

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from autostack.drivers.machine import addresses, cgroup
from autostack.drivers.machine.run import Ran, run
from autostack.drivers.machine.sandbox import Bind, Network, Sandbox
from autostack.engine.release import MIB, Limits
from tests.integration.runtimes import machines
from tests.integration.runtimes.asking import get
from tests.integration.runtimes.machines import House

pytestmark = pytest.mark.needs("linux", "root")
LIMIT = timedelta(seconds=30)
SECRET = "s3cr3t-of-the-platform"

STATUS = """
import json
lines = (line.partition(":") for line in open("/proc/self/status"))
print(json.dumps({name: value.split() for name, _, value in lines}))
"""
CONNECT = """
import socket, sys
for target in sys.argv[1:]:
    host, port = target.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        print("reached", target)
    except OSError as error:
        print("failed", target, type(error).__name__)
"""
CALLS = """
import ctypes, errno, json, platform
libc = ctypes.CDLL(None, use_errno=True)
x86 = platform.machine() == "x86_64"
calls = {
    "mount": (165 if x86 else 40, 0), "unshare": (272 if x86 else 97, 0x10000000),
    "clone a user namespace": (56 if x86 else 220, 0x10000000), "ptrace": (101 if x86 else 117, 0),
    "bpf": (321 if x86 else 280, 0), "keyctl": (250 if x86 else 219, 0), "io_uring": (425, 1),
    "userfaultfd": (323 if x86 else 282, 0), "perf": (298 if x86 else 241, 0),
    "setns": (308 if x86 else 268, 0), "clone3": (435, 0),
}
def call(number, argument):
    ctypes.set_errno(0)
    libc.syscall(number, argument, 0, 0, 0, 0)
    return errno.errorcode.get(ctypes.get_errno(), "allowed")
print(json.dumps({name: call(*what) for name, what in calls.items()}))
"""
PIDS = """
import json, os
print(json.dumps([name for name in os.listdir("/proc") if name.isdigit()]))
"""
DESCRIPTORS = """
import os
for name in os.listdir("/proc/self/fd"):
    if os.path.lexists(f"/proc/self/fd/{name}"):
        print(os.readlink(f"/proc/self/fd/{name}"))
"""
FORKS = """
import os, time
made = 0
try:
    while made < 500:
        if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
        made += 1
except OSError as error:
    print(made, error.errno, flush=True)
os._exit(0)
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with machines.house(tmp_path_factory.mktemp("sandbox")) as built:
        yield built


@pytest.mark.attack("I08")
async def test_it_has_a_user_of_its_own_and_no_rights(house: House) -> None:
    status = json.loads(await tell(house, STATUS))

    assert status["Uid"] == [str(house.machine.host.first_uid + 9)] * 4
    assert status["Groups"] in ([], [status["Gid"][0]])
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[kind][0], 16) == 0
    assert status["NoNewPrivs"] == ["1"]
    assert status["Seccomp"] == ["2"]


@pytest.mark.attack("I02", "I03")
async def test_no_process_inside_knows_the_platforms_environment(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOSTACK_SECRET_KEY", SECRET)
    code = "import glob; print([open(f).read() for f in glob.glob('/proc/[0-9]*/environ')])"

    seen = await tell(house, code, GIVEN="visible")

    assert "visible" in seen
    assert SECRET not in seen
    assert "AUTOSTACK" not in seen


@pytest.mark.attack("I04")
async def test_only_its_own_processes_show(house: House) -> None:
    seen = await tell(house, PIDS)

    assert len(json.loads(seen)) <= 3


@pytest.mark.attack("I01")
async def test_the_system_is_read_only_and_the_platforms_files_are_absent(house: House) -> None:
    home = house.machine.home.root
    code = f"""
import os
for path in ("/usr/x", "/etc/x", "/x", "/home/x"):
    try: open(path, "w"); print("wrote", path)
    except OSError: pass
hidden = ("/etc/shadow", "/root/.ssh", "/sys/kernel", "/dev/mem", {str(home / "run")!r})
print([path for path in hidden if os.path.exists(path)])
"""

    assert (await tell(house, code)).strip() == "[]"


@pytest.mark.attack("I17")
async def test_temporary_files_are_bounded(house: House) -> None:
    code = """
try:
    with open("/tmp/fill", "wb") as file:
        for _ in range(64): file.write(bytes(1 << 20))
    print("unbounded")
except OSError as error:
    print(error.errno)
"""

    assert (await tell(house, code, tmp=8 * MIB)).strip() == "28"


@pytest.mark.attack("I08")
async def test_dangerous_system_calls_are_refused(house: House) -> None:
    answers = json.loads(await tell(house, CALLS))

    assert answers.pop("clone3") == "ENOSYS"
    assert set(answers.values()) == {"EPERM"}, answers


@pytest.mark.attack("I04")
async def test_no_descriptor_of_the_platform_is_open(house: House) -> None:
    held = os.open(house.machine.home.root, os.O_RDONLY)
    os.set_inheritable(held, True)  # noqa: FBT003
    try:
        seen = await tell(house, DESCRIPTORS)
    finally:
        os.close(held)

    assert str(house.machine.home.root) not in seen
    assert "memfd" not in seen


@pytest.mark.attack("I24", "R25")
async def test_neither_the_host_nor_a_neighbour_is_reached(house: House) -> None:
    neighbour = house.spec()
    served = await house.runtime.start(neighbour)
    await get(served.address)
    async with listening() as port:
        host = host_address()
        targets = [
            f"127.0.0.1:{port}",
            f"{addresses.gateway(house.machine.host)}:{port}",
            f"{host}:{port}",
            served.address,
            "169.254.169.254:80",
        ]
        from_outside = await asyncio.to_thread(reaches, (host, port))

        seen = await tell(house, CONNECT, *targets, network=Network.INTERNET)

    await house.runtime.stop(neighbour.id, grace=timedelta(seconds=1))
    assert from_outside
    assert [line.split()[0] for line in seen.splitlines()] == ["failed"] * 5, seen


async def test_without_a_network_there_is_only_loopback(house: House) -> None:
    code = "import socket; print([name for _, name in socket.if_nameindex()])"

    assert (await tell(house, code)).strip() == "['lo']"


@pytest.mark.attack("I14")
async def test_a_fork_bomb_stops_at_its_cap(house: House) -> None:
    seen = await tell(house, FORKS, limits=Limits(pids=32))

    made, error = seen.split()
    assert int(made) < 32
    assert error == "11"


@pytest.mark.attack("I16")
async def test_memory_is_capped_and_its_want_is_named(house: House) -> None:
    ran, _ = await execute(house, "x = bytearray(300 << 20)", limits=Limits(memory=64 * MIB))

    assert ran.exit.oom
    assert ran.exit.signal == 9
    assert ran.peak_memory <= 65 * MIB


async def test_zombies_are_reaped(house: House) -> None:
    code = """
import os, time
if os.fork() == 0:
    for _ in range(5):
        if os.fork() == 0: os._exit(0)
    os._exit(0)
os.wait()
time.sleep(0.3)
states = [open(f"/proc/{n}/stat").read().split()[2] for n in os.listdir("/proc") if n.isdigit()]
print("Z" in states)
"""

    assert (await tell(house, code)).strip() == "False"


async def test_a_limit_ends_the_whole_tree(house: House) -> None:
    box = sandbox(house)
    began = time.monotonic()

    ran = await run(
        box,
        ["/bin/sh", "-c", "sleep 60 & sleep 60 & setsid sleep 60 & wait"],
        machine=house.machine,
        on_output=lambda _: None,
        limit=timedelta(seconds=1),
    )

    assert ran.timed_out
    assert time.monotonic() - began < 10
    assert not any(directory.exists() for directory in cgroup.directories(box.id))


async def test_cancelling_ends_the_whole_tree(house: House) -> None:
    box, started = sandbox(house), asyncio.Event()
    command = ["/bin/sh", "-c", "setsid sleep 60 & echo on; sleep 60"]
    task = asyncio.create_task(
        run(box, command, machine=house.machine, on_output=lambda _: started.set())
    )
    await asyncio.wait_for(started.wait(), 20)

    task.cancel()
    await asyncio.wait({task}, timeout=10)

    assert task.cancelled()
    assert not any(directory.exists() for directory in cgroup.directories(box.id))


def sandbox(house: House, **settings: object) -> Sandbox:
    given: dict[str, object] = {"network": Network.NONE, **settings}
    app = Path(house.artifact().location) / "app"
    return Sandbox(
        id=uuid4(),
        uid=house.machine.host.first_uid + 9,
        binds=(Bind(source=app, target="/app", scratch=True),),
        read_only=tuple(Path(path) for path in machines.runtimes()),
        **given,  # type: ignore[arg-type]
    )


async def execute(
    house: House, code: str, *arguments: str, env: dict[str, str] | None = None, **settings: object
) -> tuple[Ran, str]:
    printed: list[bytes] = []
    ran = await run(
        sandbox(house, env=env or {}, **settings),
        [sys.executable, "-c", code, *arguments],
        machine=house.machine,
        on_output=printed.append,
        limit=LIMIT,
    )
    return ran, b"".join(printed).decode()


async def tell(house: House, code: str, *arguments: str, **settings: object) -> str:
    """What code prints inside; upper-case settings are its environment."""
    env = {name: str(value) for name, value in settings.items() if name.isupper()}
    rest = {name: value for name, value in settings.items() if not name.isupper()}
    ran, printed = await execute(house, code, *arguments, env=env, **rest)
    assert ran.exit.code == 0, printed
    return printed


@asynccontextmanager
async def listening() -> AsyncGenerator[int]:
    """A service of the host, on all its addresses."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "0.0.0.0", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def host_address() -> str:
    """The one this host leaves by; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


def reaches(target: tuple[str, int]) -> bool:
    with socket.create_connection(target, timeout=2):
        return True
