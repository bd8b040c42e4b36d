"""What the edge costs a request: beside a bare Traefik with one route, and beside none at all."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from benchmarks.clients import Target, ask
from benchmarks.floors import until_200
from benchmarks.series import Section, Series
from tests.platform import Platform, free_ports

ROUNDS = 9
SECONDS = 2.0
"""Many short rounds: from one second to the next a machine changes by more than is measured."""
CLIENTS = 16


def section(platform: Platform, host: str) -> Section:
    """The three in turn, so that a slow moment of the machine meets them all."""
    target = _target(platform, host)
    ours = psutil.Process(int((platform.home.edge / "pid").read_text()))
    rows: dict[str, list[tuple[float, float, float, float]]] = {}
    with _bare(target) as (bare, port):
        ways = {
            "straight to the app": (Target(url=f"http://{target}/", host=host), None),
            "bare Traefik": (Target(url=f"http://127.0.0.1:{port}/", host=host), bare),
            "the edge": (Target(url=f"http://{host}/", host=host), ours),
        }
        for _ in range(ROUNDS):
            for name, (asked, proxy) in ways.items():
                rows.setdefault(name, []).append(_round(asked, proxy))
    return Section(title=f"Edge, {CLIENTS} clients in a loop", rows=_table(rows))


def _round(asked: Target, proxy: psutil.Process | None) -> tuple[float, float, float, float]:
    """(requests a second, p50 ms, p99 ms, µs of the proxy's CPU a request)."""
    before = _cpu(proxy)
    found = ask([asked], clients=CLIENTS, seconds=SECONDS)
    assert found.failed == 0, f"{found.failed} requests failed at {asked.url}"
    spent = (_cpu(proxy) - before) / len(found.seconds) * 1e6
    return found.rate, found.quantile(0.5) * 1000, found.quantile(0.99) * 1000, spent


def _cpu(process: psutil.Process | None) -> float:
    if process is None:
        return 0
    times = process.cpu_times()
    return float(times.user + times.system)


def _table(
    rows: dict[str, list[tuple[float, float, float, float]]],
) -> list[tuple[Series, Series | None]]:
    table: list[tuple[Series, Series | None]] = []
    for place, (what, unit) in enumerate(
        (("answered", "req/s"), ("p50", "ms"), ("p99", "ms"), ("CPU of the proxy", "µs/request"))
    ):
        made = {
            name: Series(
                name=f"{name}: {what}", unit=unit, values=tuple(one[place] for one in found)
            )
            for name, found in rows.items()
        }
        floor = made["bare Traefik"]
        if what == "CPU of the proxy":
            made["the edge"] = replace(made["the edge"], goal=round(1.1 * floor.middle, 1))
        table += [(one, None if one is floor else floor) for one in made.values() if one.middle]
    return table


def _target(platform: Platform, host: str) -> str:
    """Where the edge sends requests for this host, as its own file says."""
    for file in (platform.home.edge / "routes").glob("*-*.yml"):
        found = json.loads(file.read_text().partition("\n")[2])
        if host.partition(":")[0] in json.dumps(found):
            service = next(
                one for one in found["http"]["services"].values() if "loadBalancer" in one
            )
            return str(service["loadBalancer"]["servers"][0]["url"]).removeprefix("http://")
    message = f"no route file names {host}"
    raise LookupError(message)


@contextmanager
def _bare(target: str) -> Generator[tuple[psutil.Process, int]]:
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="autostack-bare-") as scratch:
        routes = Path(scratch) / "routes.yml"
        servers = [{"url": f"http://{target}"}]
        routes.write_text(
            json.dumps(
                {
                    "http": {
                        "routers": {"all": {"rule": "PathPrefix(`/`)", "service": "app"}},
                        "services": {"app": {"loadBalancer": {"servers": servers}}},
                    }
                }
            )
        )
        traefik = str(Path(sys.executable).with_name("traefik"))
        process = subprocess.Popen(
            [
                traefik,
                f"--entrypoints.web.address=127.0.0.1:{port}",
                f"--providers.file.filename={routes}",
                "--log.level=ERROR",
                "--global.checknewversion=false",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            until_200(f"http://127.0.0.1:{port}/")
            yield psutil.Process(process.pid), port
        finally:
            process.terminate()
            process.wait(10)
