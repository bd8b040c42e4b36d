"""Apps that listen on the IPv6 loopback alone."""

import asyncio
import os
import signal
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from autostack.drivers.machine import cgroup, processes
from autostack.engine.release import Listener
from tests.integration.runtimes.asking import get, until
from tests.integration.runtimes.machines import House

pytestmark = pytest.mark.needs("linux")
SERVER = """
import os, socket, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answer(BaseHTTPRequestHandler):
    log_message = lambda *_: None
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"six" * int(os.environ.get("TIMES", "1")))

class Six(HTTPServer):
    address_family = socket.AF_INET6

Six((os.environ.get("HOST", "::1"), int(os.environ["PORT"])), Answer).serve_forever()
"""


async def listeners(house: House, instance_id: UUID) -> Sequence[Listener]:
    return await until(lambda: house.runtime.listeners(instance_id), bool)


async def test_it_is_reached_also_after_a_restart(house: House) -> None:
    spec = house.spec(code=SERVER)
    await house.runtime.start(spec)
    [found] = await listeners(house, spec.id)

    exposed = await house.runtime.expose(spec.id, found)
    before = await get(exposed.address)
    os.kill(init_of(house, spec.id), signal.SIGKILL)
    await until(lambda: house.runtime.inspect(spec.id), lambda one: one.restarts == 1)

    assert found == Listener(host="::1", port=spec.place.port)
    assert (before, await get(exposed.address)) == ("six", "six")
    assert await house.runtime.listeners(spec.id) == [found]
    await house.runtime.stop(spec.id, grace=timedelta(seconds=5))


async def test_asking_for_it_twice_changes_nothing(house: House) -> None:
    spec = house.spec(code=SERVER)
    await house.runtime.start(spec)
    [found] = await listeners(house, spec.id)

    first = await house.runtime.expose(spec.id, found)

    assert await house.runtime.expose(spec.id, found) == first
    assert await get(first.address) == "six"
    await house.runtime.stop(spec.id, grace=timedelta(seconds=5))


async def test_long_answers_and_many_visitors_are_carried_whole(house: House) -> None:
    spec = house.spec(code=SERVER, TIMES="1000000")
    await house.runtime.start(spec)
    [found] = await listeners(house, spec.id)
    exposed = await house.runtime.expose(spec.id, found)

    answers = await asyncio.gather(*(get(exposed.address) for _ in range(8)))

    assert {len(answer) for answer in answers} == {3_000_000}
    await house.runtime.stop(spec.id, grace=timedelta(seconds=5))


@pytest.mark.needs("root")
async def test_what_carries_is_the_apps_own_and_ends_with_it(house: House) -> None:
    spec = house.spec(code=SERVER)
    await house.runtime.start(spec)
    [found] = await listeners(house, spec.id)
    await house.runtime.expose(spec.id, found)
    init = init_of(house, spec.id)
    inside = {init, *(one.pid for one in processes.inside(init))}
    carriers = [pid for pid in cgroup.processes(spec.id) if is_forwarder(pid)]
    users = [user_of(pid) for pid in carriers]

    await house.runtime.stop(spec.id, grace=timedelta(seconds=5))

    assert users == [spec.uid]
    assert not inside & set(carriers)
    assert not any(lives(pid) for pid in carriers)
    assert not any(directory.exists() for directory in cgroup.directories(spec.id))


async def test_a_loopback_address_of_ipv4_written_as_ipv6_is_known_as_one(house: House) -> None:
    spec = house.spec(code=SERVER, HOST="::ffff:127.0.0.1")
    await house.runtime.start(spec)

    [found] = await listeners(house, spec.id)
    exposed = await house.runtime.expose(spec.id, found)

    assert found.host == "127.0.0.1"
    assert await get(exposed.address) == "six"
    await house.runtime.stop(spec.id, grace=timedelta(seconds=5))


def init_of(house: House, instance_id: UUID) -> int:
    found = processes.init_of(house.machine.home.instances / str(instance_id))
    assert found is not None
    return found


def is_forwarder(pid: int) -> bool:
    return b"forwarder.py" in Path(f"/proc/{pid}/cmdline").read_bytes()


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def user_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid
