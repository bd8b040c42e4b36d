"""The Docker runtime on a real engine, with real applications."""

import asyncio
import gc
import json
import os
import time
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from autostack.drivers.runtimes.docker import DockerRuntime
from autostack.engine.errors import StartRefused
from autostack.engine.release import Exit, InstanceState, Listener
from tests.docker import TestEngine
from tests.fakes import FakeLog
from tests.integration.docker.yards import Yard
from tests.integration.runtimes.asking import get, printed, until

pytestmark = pytest.mark.needs("docker")
GRACE = timedelta(seconds=10)
LIMIT = timedelta(seconds=30)


async def test_two_instances_may_use_the_same_port(yard: Yard) -> None:
    environment = uuid4()
    old = yard.spec(SAYS="old", environment=environment)
    new = yard.spec(SAYS="new", environment=environment)

    first, second = await asyncio.gather(yard.runtime.start(old), yard.runtime.start(new))

    assert first.address != second.address
    assert (await get(first.address), await get(second.address)) == ("old", "new")
    await end(yard, old.id, new.id)


@pytest.mark.attack("I08")
async def test_a_container_has_few_rights_and_caps(yard: Yard) -> None:
    spec = yard.spec("sh", "-c", "cat /proc/self/status /proc/1/comm; ulimit -n; sleep 60")
    await yard.runtime.start(spec)

    said = await printed(spec.output, "4096")

    assert "NoNewPrivs:\t1" in said
    assert "CapBnd:\t00000000000000e1" in said  # chown, kill, setgid, setuid
    assert "Seccomp:\t2" in said
    assert "docker-init" in said
    await end(yard, spec.id)


@pytest.mark.attack("I16")
async def test_memory_is_capped_and_its_lack_is_told(yard: Yard) -> None:
    spec = yard.spec("python3", "-c", "x = bytearray(200_000_000)", memory=64 * 1024 * 1024)

    ended = await yard.runtime.run_once(spec, limit=LIMIT, log=FakeLog())

    assert ended == Exit(code=137, signal=9, oom=True)


@pytest.mark.attack("I14")
async def test_processes_are_capped(yard: Yard) -> None:
    forks = (
        "import os\nfor _ in range(50):\n    if not os.fork(): os.execvp('sleep', ['sleep', '5'])"
    )
    log = FakeLog()

    ended = await yard.runtime.run_once(
        yard.spec("python3", "-c", forks, pids=20), limit=LIMIT, log=log
    )

    assert ended.code == 1
    assert b"BlockingIOError" in log.printed


@pytest.mark.attack("R25")
async def test_environments_do_not_reach_each_other_or_the_host(yard: Yard) -> None:
    mine, other = yard.spec(), yard.spec()
    neighbour = yard.spec(environment=mine.environment_id)
    here, near, far = [(await yard.runtime.start(one)).address for one in (mine, neighbour, other)]
    for address in (here, near, far):
        await get(address)
    gateway = f"{here.rpartition('.')[0]}.1:22"
    log = FakeLog()
    asking = yard.spec("python3", "-c", ASK, near, far, gateway, environment=mine.environment_id)

    await yard.runtime.run_once(asking, limit=LIMIT, log=log)

    assert log.printed.decode().split() == ["hello", "TimeoutError", "TimeoutError"]
    await end(yard, mine.id, neighbour.id, other.id)


async def test_an_app_with_a_handler_says_good_bye(yard: Yard) -> None:
    spec = yard.spec(POLITE="1")
    await get((await yard.runtime.start(spec)).address)

    await yard.runtime.stop(spec.id, grace=GRACE)

    assert "good-bye" in spec.output.read_text()


async def test_an_app_behind_a_shell_says_good_bye(yard: Yard) -> None:
    spec = yard.spec("/bin/sh", "-c", "python3 server.py; echo after", POLITE="1")
    await get((await yard.runtime.start(spec)).address)

    await yard.runtime.stop(spec.id, grace=GRACE)

    assert "good-bye\nafter" in spec.output.read_text()


async def test_an_app_that_ignores_the_signal_is_killed_after_the_grace(yard: Yard) -> None:
    spec = yard.spec("/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done")
    await yard.runtime.start(spec)
    await printed(spec.output, "deaf")
    began = time.monotonic()

    await yard.runtime.stop(spec.id, grace=timedelta(seconds=0.5))

    assert 0.5 <= time.monotonic() - began < 10
    assert (await yard.runtime.inspect(spec.id)).state is InstanceState.MISSING


async def test_nothing_is_left_of_a_stopped_instance(yard: Yard, docker_engine: TestEngine) -> None:
    spec = yard.spec()
    await yard.runtime.start(spec)

    await yard.runtime.stop(spec.id, grace=GRACE)

    with docker_engine.client() as client:
        names = [found["Name"] for found in client.networks()]
    assert not yard.runtime.owns(spec.id)
    assert f"autostack-{spec.environment_id}" not in names


async def test_an_app_that_dies_is_started_again_and_its_end_is_known(yard: Yard) -> None:
    spec = yard.spec("/bin/sh", "-c", "test -e x && exec sleep 60; touch x; exit 7")
    await yard.runtime.start(spec)

    seen = await until(
        lambda: yard.runtime.inspect(spec.id),
        lambda one: one.restarts == 1 and one.state is InstanceState.RUNNING,
    )

    assert seen.exit == Exit(code=7)
    await end(yard, spec.id)


async def test_a_crash_loop_is_seen_as_one(yard: Yard) -> None:
    spec = yard.spec("/bin/sh", "-c", "exit 3")
    await yard.runtime.start(spec)

    crashed = await until(
        lambda: yard.runtime.inspect(spec.id),
        lambda one: one.state is InstanceState.CRASHED,
        limit=60,
    )

    assert crashed.exit == Exit(code=3)
    assert crashed.restarts >= 4
    await end(yard, spec.id)


async def test_an_app_that_ignores_its_port_is_found_and_reached(yard: Yard) -> None:
    spec = yard.spec("/bin/sh", "-c", "PORT=7007 exec python3 server.py")
    await yard.runtime.start(spec)

    found = await until(lambda: yard.runtime.listeners(spec.id), bool)
    exposed = await yard.runtime.expose(spec.id, found[0])

    assert found == [Listener(host="0.0.0.0", port=7007)]
    assert await get(exposed.address) == "hello"
    await end(yard, spec.id)


async def test_an_app_on_its_own_loopback_is_reached_also_after_a_restart(yard: Yard) -> None:
    spec = yard.spec(HOST="127.0.0.1")
    await yard.runtime.start(spec)
    rounds = aiter(yard.runtime.watch())
    found = await until(lambda: yard.runtime.listeners(spec.id), bool)

    exposed = await yard.runtime.expose(spec.id, found[0])
    before = await get(exposed.address)
    kill(yard, spec.id)
    async for seen in rounds:
        if seen.id == spec.id and seen.restarts and seen.state is InstanceState.RUNNING:
            break

    assert (before, await get(exposed.address)) == ("hello", "hello")
    await end(yard, spec.id)


async def test_a_start_command_that_does_not_exist_is_said(yard: Yard) -> None:
    spec = yard.spec("no-such-program")
    await yard.runtime.start(spec)

    seen = await until(lambda: yard.runtime.inspect(spec.id), lambda one: one.restarts > 0)

    assert seen.exit == Exit(code=127)
    assert "no-such-program" in await printed(spec.output, "No such file")
    await end(yard, spec.id)


async def test_an_image_that_is_gone_is_said(yard: Yard) -> None:
    spec = yard.spec()
    artifact = replace(spec.artifact, location=f"sha256:{'0' * 64}")

    with pytest.raises(StartRefused, match="its image is gone"):
        await yard.runtime.start(replace(spec, artifact=artifact))

    await end(yard, spec.id)


async def test_canceling_a_release_command_ends_its_container(yard: Yard) -> None:
    log = FakeLog()
    spec = yard.spec("sh", "-c", "echo begun; sleep 60")
    running = asyncio.create_task(yard.runtime.run_once(spec, limit=LIMIT, log=log))

    async def begun() -> bytes:
        return log.printed

    await until(begun, bool)
    began = time.monotonic()
    running.cancel()
    await asyncio.wait({running})

    assert time.monotonic() - began < 5
    assert running.cancelled()
    assert (await yard.runtime.inspect(spec.id)).state is InstanceState.MISSING


async def test_a_release_command_that_takes_too_long_is_ended(yard: Yard) -> None:
    log = FakeLog()

    ended = await yard.runtime.run_once(
        yard.spec("sleep", "60"), limit=timedelta(seconds=2), log=log
    )

    assert ended.signal == 9
    assert log.said == ["Ended after 2 seconds."]


async def test_no_line_is_lost_or_doubled_when_readers_come_and_go(yard: Yard) -> None:
    count = 20_000
    code = f"import time\nfor n in range({count}): print(n, 'x' * 100)"
    spec = yard.spec("python3", "-c", f"{code}\nprint('over', flush=True)\ntime.sleep(60)")
    await yard.runtime.start(spec)
    for _ in range(20):
        reading = asyncio.create_task(one_round(yard.again()))
        await asyncio.sleep(0.1)
        reading.cancel()

    async def over() -> bool:
        return spec.output.exists() and spec.output.read_bytes().endswith(b"over\n")

    await until(over, bool)
    await end(yard, spec.id)

    lines = spec.output.read_text().splitlines()
    assert [line.split()[0] for line in lines[:-1]] == [str(number) for number in range(count)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_containers_go_on_while_the_engine_is_restarted(
    yard: Yard, docker_engine: TestEngine
) -> None:
    spec = yard.spec()
    instance = await yard.runtime.start(spec)
    await get(instance.address)

    docker_engine.stop()
    try:
        served = await get(instance.address)
        meanwhile = await yard.runtime.inspect(spec.id)
    finally:
        docker_engine.start()
    after = await yard.runtime.inspect(spec.id)
    again = await yard.runtime.start(spec)

    assert served == "hello"
    assert meanwhile.state is after.state is InstanceState.RUNNING
    assert (after.restarts, again) == (0, instance)
    await end(yard, spec.id)
    gc.collect()  # the SDK leaves sockets open that found nobody


async def test_secrets_are_in_no_argument_list(yard: Yard) -> None:
    spec = yard.spec(TOKEN="s3cr3t-of-this-container")
    await get((await yard.runtime.start(spec)).address)

    listed = await asyncio.to_thread(arguments)

    assert b"server.py" in listed
    assert b"s3cr3t-of-this-container" not in listed
    await end(yard, spec.id)


ASK = """
import sys, urllib.request, socket
for address in sys.argv[1:]:
    try:
        if address.endswith(":22"):
            socket.create_connection(address.split(":"), timeout=1)
        else:
            print(urllib.request.urlopen(f"http://{address}/", timeout=1).read().decode())
    except TimeoutError:
        print("TimeoutError")
    except OSError as error:
        print(type(getattr(error, "reason", error)).__name__)
"""


async def one_round(runtime: DockerRuntime) -> None:
    async for _ in runtime.watch():
        return


def arguments() -> bytes:
    """Every argument list of this machine."""
    found: list[bytes] = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - pids, not paths
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:  # noqa: PTH123
                    found.append(file.read())
            except OSError:
                continue
    return b"\n".join(found)


def kill(yard: Yard, instance_id: UUID) -> None:
    """The container's first process, from outside, as if it had crashed."""
    told = json.loads((yard.home.instances / str(instance_id) / "container.json").read_text())
    os.kill(told["pid"], 9)


async def end(yard: Yard, *ids: UUID) -> None:
    for each in ids:
        await yard.runtime.stop(each, grace=timedelta(seconds=1))
