"""The process runtime on a real supervisor, with real applications."""

import asyncio
import os
import time
from datetime import timedelta
from uuid import UUID

import pytest

from autostack.drivers.machine import cgroup, processes
from autostack.engine.release import MIB, InstanceState, Listener
from tests.integration.runtimes.asking import get, printed, read, until
from tests.integration.runtimes.machines import House

pytestmark = pytest.mark.needs("linux")
GRACE = timedelta(seconds=10)
SHELL_THAT_WAITS = ("/bin/sh", "-c", "python3 server.py; echo after")


SAME = """
differs() { echo "$1 differs"; exit 1; }
for kind in cgroup ipc mnt net pid user uts; do
    test "$(readlink /proc/self/ns/$kind)" = "$(readlink /proc/2/ns/$kind)" || differs $kind
done
for name in Uid Gid Groups CapPrm CapEff NoNewPrivs Seccomp; do
    test "$(grep ^$name: /proc/self/status)" = "$(grep ^$name: /proc/2/status)" || differs $name
done
test "$(cat /proc/self/cgroup)" = "$(cat /proc/2/cgroup)" || differs cgroup
test "$(ulimit -n)" = 4096 || differs files
"""
"""The app is number 2 behind its init."""


async def test_two_instances_may_use_the_same_port(house: House) -> None:
    if house.machine.host.subnet is None:
        pytest.skip("it needs networks of its own")
    old, new = house.spec(SAYS="old"), house.spec(SAYS="new")

    first, second = await house.runtime.start(old), await house.runtime.start(new)

    assert old.place.port == new.place.port
    assert (await get(first.address), await get(second.address)) == ("old", "new")
    await end(house, old.id, new.id)


async def test_a_start_takes_little_more_than_the_app_needs(house: House) -> None:
    spec = house.spec("/bin/sleep", "60")
    began = time.monotonic()

    await house.runtime.start(spec)

    assert time.monotonic() - began < 1.0  # some 0.06 s on an idle machine
    await end(house, spec.id)


async def test_a_check_command_is_where_the_app_is_with_no_more_rights(house: House) -> None:
    spec = house.spec()
    await get((await house.runtime.start(spec)).address)

    answer = await house.runtime.ask(spec.id, ("sh", "-c", SAME), limit=GRACE)

    assert answer.error == ""
    await end(house, spec.id)


async def test_an_app_with_a_handler_says_good_bye(house: House) -> None:
    spec = house.spec(POLITE="1")
    await get((await house.runtime.start(spec)).address)

    await house.runtime.stop(spec.id, grace=GRACE)

    assert "good-bye" in spec.output.read_text()


async def test_an_app_behind_a_shell_says_good_bye(house: House) -> None:
    spec = house.spec(*SHELL_THAT_WAITS, POLITE="1")
    await get((await house.runtime.start(spec)).address)

    await house.runtime.stop(spec.id, grace=GRACE)

    assert "good-bye\nafter" in spec.output.read_text()


async def test_an_app_without_a_handler_ends_at_once(house: House) -> None:
    spec = house.spec()
    await get((await house.runtime.start(spec)).address)
    began = time.monotonic()

    await house.runtime.stop(spec.id, grace=GRACE)

    assert time.monotonic() - began < 2.0  # 0.05 s on an idle machine


@pytest.mark.attack("I28")
async def test_an_app_that_ignores_the_signal_is_killed_after_the_grace(house: House) -> None:
    spec = house.spec("/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done")
    await house.runtime.start(spec)
    await printed(spec.output, "deaf")
    began = time.monotonic()

    await house.runtime.stop(spec.id, grace=timedelta(seconds=0.5))

    assert 0.5 <= time.monotonic() - began < 5
    assert (await house.runtime.inspect(spec.id)).state is InstanceState.MISSING


async def test_nothing_is_left_of_a_stopped_instance(house: House) -> None:
    spec = house.spec()
    await house.runtime.start(spec)

    await house.runtime.stop(spec.id, grace=GRACE)

    assert not (house.machine.home.instances / str(spec.id)).exists()
    assert not any(directory.exists() for directory in cgroup.directories(spec.id))


async def test_output_is_appended_and_kept(house: House) -> None:
    spec = house.spec("/bin/sh", "-c", "echo out; echo err >&2; sleep 60")
    spec.output.parent.mkdir(parents=True, exist_ok=True)
    spec.output.write_text("before\n")
    await house.runtime.start(spec)

    await printed(spec.output, "err")

    await end(house, spec.id)
    assert spec.output.read_text().startswith("before\nout\nerr\n")


async def test_the_app_may_write_beside_its_code_and_the_artifact_stays(house: House) -> None:
    spec = house.spec("/bin/sh", "-c", "echo x > new; echo y >> server.py; echo ok; sleep 60")
    await house.runtime.start(spec)

    await printed(spec.output, "ok")

    app = f"{spec.artifact.location}/app"
    assert os.listdir(app) == ["server.py"]  # noqa: PTH208 - names are what is asked
    await end(house, spec.id)


async def test_an_app_that_dies_is_started_again(house: House) -> None:
    spec = house.spec()
    instance = await house.runtime.start(spec)
    await get(instance.address)

    kill(house, spec.id)

    seen = await until(
        lambda: house.runtime.inspect(spec.id),
        lambda one: one.restarts == 1 and one.state is InstanceState.RUNNING,
    )
    assert seen.exit is not None
    assert seen.exit.signal == 9
    assert await get(instance.address) == "hello"
    await end(house, spec.id)


async def test_a_crash_loop_backs_off_and_is_given_up(house: House) -> None:
    spec = house.spec("/bin/sh", "-c", "exit 3")
    await house.runtime.start(spec)

    backing_off = await until(
        lambda: house.runtime.inspect(spec.id), lambda one: one.state is InstanceState.BACKOFF
    )
    crashed = await until(
        lambda: house.runtime.inspect(spec.id),
        lambda one: one.state is InstanceState.CRASHED,
        limit=60,
    )

    assert backing_off.exit is not None
    assert backing_off.exit.code == 3
    assert crashed.restarts == 4
    await end(house, spec.id)


async def test_an_app_that_ignores_its_port_is_found_and_reached(house: House) -> None:
    spec = house.spec("/bin/sh", "-c", "PORT=7007 python3 server.py")
    await house.runtime.start(spec)

    found = await until(lambda: house.runtime.listeners(spec.id), bool)
    exposed = await house.runtime.expose(spec.id, found[0])

    assert found == [Listener(host="0.0.0.0", port=7007)]
    assert await get(exposed.address) == "hello"
    await end(house, spec.id)


async def test_an_app_on_its_own_loopback_is_reached_also_after_a_restart(house: House) -> None:
    spec = house.spec(HOST="127.0.0.1")
    await house.runtime.start(spec)
    found = await until(lambda: house.runtime.listeners(spec.id), bool)

    exposed = await house.runtime.expose(spec.id, found[0])
    before = await get(exposed.address)
    kill(house, spec.id)
    await until(lambda: house.runtime.inspect(spec.id), lambda one: one.restarts == 1)

    assert (before, await get(exposed.address)) == ("hello", "hello")
    await end(house, spec.id)


async def test_secrets_are_in_no_argument_list(house: House) -> None:
    spec = house.spec(TOKEN="s3cr3t-of-this-test")
    await get((await house.runtime.start(spec)).address)

    listed = await asyncio.to_thread(arguments)

    assert "server.py" in listed
    assert "s3cr3t-of-this-test" not in listed
    await end(house, spec.id)


def arguments() -> str:
    """Every argument list of this machine."""
    found: list[bytes] = []
    for name in os.listdir("/proc"):  # noqa: PTH208 - pids, not paths
        if name.isdigit():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:  # noqa: PTH123
                    found.append(file.read())
            except OSError:
                continue
    return b"\n".join(found).decode(errors="replace")


def kill(house: House, instance_id: UUID) -> None:
    init = processes.init_of(house.machine.home.instances / str(instance_id))
    assert init is not None
    os.kill(init, 9)


async def end(house: House, *ids: UUID) -> None:
    for each in ids:
        await house.runtime.stop(each, grace=timedelta(seconds=1))


CHILD_THAT_WANTS_MUCH = """
import os, time
if os.fork() == 0:
    x = bytearray(200_000_000)
os.wait()
print("its child is gone", flush=True)
time.sleep(60)
"""


@pytest.mark.needs("root")
async def test_a_kill_for_memory_is_told_in_the_apps_own_log(house: House) -> None:
    spec = house.spec(code=CHILD_THAT_WANTS_MUCH, memory=64 * MIB)
    await house.runtime.start(spec)

    async def look() -> str:
        await house.runtime.inspect(spec.id)
        return read(spec.output)

    told = await until(look, lambda seen: "[autostack]" in seen and "child" in seen)
    assert "[autostack] killed: out of memory at its limit of 64 MB\n" in told
    await end(house, spec.id)
