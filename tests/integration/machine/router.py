"""Run in a network namespace of its own by test_firewall: a small machine with the bridge, an app
behind it and a server on the internet. Prints what happened as JSON.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from autostack.core.host import Host
from autostack.drivers.machine import addresses, firewall, isolation, network
from autostack.drivers.machine.isolation import Problem

HOST = Host(bridge="as-test", subnet="10.127.0.0/17", first_uid=1_900_000_000)
APP, SERVER = "10.127.0.10", "203.0.113.2"
ASK = f"import socket; socket.create_connection(('{SERVER}', 7), timeout=1)"
SERVE = f"import socket; s = socket.create_server(('{SERVER}', 7)); print(flush=True); input()"
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def run(*argv: str) -> str:
    program = shutil.which(argv[0], path=PATH)
    assert program is not None, argv[0]
    done = subprocess.run(
        [program, *argv[1:]], capture_output=True, text=True, timeout=20, check=True
    )
    return done.stdout


@contextmanager
def neighbour(name: str, address: str, gateway: str) -> Generator[int]:
    """Another namespace on the far end of the link `name`."""
    argv = ["unshare", "--net", sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        run("ip", "link", "add", name, "type", "veth", "peer", "eth0", "netns", str(process.pid))
        run("ip", "link", "set", name, "up")
        inside(process.pid, "ip", "address", "add", address, "dev", "eth0")
        inside(process.pid, "ip", "link", "set", "eth0", "up")
        inside(process.pid, "ip", "route", "add", "default", "via", gateway)
        yield process.pid


def inside(pid: int, *argv: str) -> None:
    run("nsenter", "-t", str(pid), "-n", *argv)


def reaches(pid: int) -> bool:
    try:
        inside(pid, sys.executable, "-c", ASK)
    except subprocess.CalledProcessError:
        return False
    return True


def ours() -> int:
    return run("iptables-nft", "-S").count("as-test")


def problems(found: list[Problem]) -> list[str]:
    return [problem.todo for problem in found if "firewall" in problem.what]


def main() -> dict[str, object]:
    run("ip", "link", "set", "lo", "up")
    network.prepare(HOST)
    told: dict[str, object] = {"free": ours()}
    gateway = addresses.gateway(HOST)
    with (
        neighbour("app", f"{APP}/16", gateway) as app,
        neighbour("out", f"{SERVER}/24", "203.0.113.1") as server,
    ):
        run("ip", "link", "set", "app", "master", "as-test")
        run("ip", "address", "add", "203.0.113.1/24", "dev", "out")
        argv = ["nsenter", "-t", str(server), "-n", sys.executable, "-c", SERVE]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as serving:
            assert serving.stdout is not None
            serving.stdout.readline()
            told |= tell(app)
            serving.kill()
    network.remove(HOST)
    told["left"] = ours()
    return told


def tell(app: int) -> dict[str, object]:
    told: dict[str, object] = {"before": reaches(app)}
    run("iptables-nft", "-P", "FORWARD", "DROP")
    told["cut off"] = reaches(app)
    network.ensure(HOST)
    told["again"] = reaches(app)
    network.prepare(HOST)
    told["rules"] = ours()
    run("iptables-nft", "-N", "DOCKER-USER")
    run("iptables-nft", "-I", "FORWARD", "-j", "DOCKER-USER")
    firewall.forget("as-test")
    network.ensure(HOST)
    told["in Docker's chain"] = run("iptables-nft", "-S", "DOCKER-USER").count("as-test")
    told["with Docker"] = reaches(app)
    told["quiet"] = problems(list(isolation.network_problems(HOST)))
    return told


if __name__ == "__main__":
    print(json.dumps(main()))  # noqa: T201
