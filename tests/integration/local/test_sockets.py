"""The platform's listening sockets on a real loopback."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autostack.core.settings import Settings
from autostack.drivers.machine.identity import identify
from autostack.entrypoints.local import sockets
from autostack.entrypoints.local.errors import AddressUnknown, PortInUse

HOLDER = """
import socket, sys, time
held = socket.create_server(("127.0.0.1", 0))
print(held.getsockname()[1], flush=True)
time.sleep(60)
"""


def settings(**values: object) -> Settings:
    return Settings.model_validate({"home": Path("/srv/a"), "port": 0, "edge_port": 0, **values})


@pytest.fixture
def holder() -> Iterator[tuple[int, int]]:
    """Another process that listens: its pid and port."""
    argv = [sys.executable, "-c", HOLDER]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.pid, int(process.stdout.readline())
        process.kill()


def test_a_port_in_use_is_named_with_its_holder_and_a_way_out(holder: tuple[int, int]) -> None:
    pid, port = holder

    with pytest.raises(PortInUse) as caught:
        sockets.listen_api(settings(port=port))

    assert f"Port {port}, wanted for the API and dashboard, is in use" in str(caught.value)
    assert f"(pid {pid})" in str(caught.value)
    assert "AUTOSTACK_PORT=" in caught.value.hint


def test_the_edges_port_is_named_by_its_own_setting(holder: tuple[int, int]) -> None:
    with pytest.raises(PortInUse) as caught:
        sockets.listen_edge(settings(edge_port=holder[1]))

    assert "AUTOSTACK_EDGE_PORT=" in caught.value.hint


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(AddressUnknown):
        sockets.listen_api(settings(bind="192.0.2.1"))


def test_every_loopback_address_reaches_the_edge() -> None:
    with sockets.listen_edge(settings()) as edge:
        port = edge.getsockname()[1]

        for address in ("127.0.0.1", "127.18.3.7"):
            socket.create_connection((address, port), timeout=5).close()


@pytest.mark.needs("linux", "root")
def test_a_listening_socket_outlives_the_process_it_was_taken_from(
    holder: tuple[int, int],
) -> None:
    pid, port = holder
    found = identify(pid)
    assert found

    taken = sockets.take_over(found, port)
    assert taken
    os.kill(pid, 9)
    assert found.wait(5)

    with taken, socket.create_connection(("127.0.0.1", port), timeout=5):
        taken.settimeout(5)
        accepted, _ = taken.accept()
        accepted.close()
