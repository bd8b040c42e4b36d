"""`make bench`: figures beside their floors, from one run on one machine.

BENCH_RUNS sets how often what is repeated is repeated, BENCH_REDEPLOYS how many redeployments
come in a row, BENCH_SCALE the numbers of projects as in `1,10,100,500`; BENCH_ACCEPT=1 makes this
run's memory and CPU the figures that later runs are compared with.
"""

import os
import platform as machine
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    api,
    baseline,
    containers,
    deploys,
    edge,
    front,
    idle,
    loglines,
    pages,
    redeploys,
    scale,
    signins,
    startup,
)
from benchmarks.floors import ByHand
from benchmarks.series import Section, Series, alone
from tests.gitserver import GitServer
from tests.platform import Platform, User, platform

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "flask"
RESULTS = ROOT / "benchmarks" / "results.md"
README = ROOT / "README.md"
RUNS = int(os.environ.get("BENCH_RUNS", "5"))
SETTLE = 90.0
"""Until what the first app opened (watch, connections) is closed again."""


def main() -> int:
    resting: list[Series] = []
    sections: list[Section] = []
    with tempfile.TemporaryDirectory(prefix="autostack-bench-") as scratch:
        for section in _measure(Path(scratch), resting):
            print(f"{section.text()}\n", flush=True)
            sections.append(section)
    RESULTS.write_text(_page(sections))
    README.write_text(front.put(README.read_text(), sections, head=_where()))
    return _verdict(resting)


def _measure(scratch: Path, resting: list[Series]) -> Iterator[Section]:
    began = time.monotonic()
    with GitServer(scratch / "git") as git, platform() as up:
        first = time.monotonic() - began
        user = User.register(up)
        url = _one_app(user, git)
        time.sleep(SETTLE)
        resting.extend(idle.measure(up))
        yield Section(title="Idle for a minute, one app deployed", rows=alone(*resting))
        by_hand = ByHand(folder=scratch / "by-hand")
        by_hand.folder.mkdir()
        yield deploys.section(user, git, EXAMPLE, by_hand, runs=RUNS)
        yield from _under_load(up, user, git, url)
        yield startup.section(first, user, f"http://{url}/")
    yield signins.section()
    yield from containers.sections(scratch, runs=RUNS)
    yield from pages.sections(scratch)
    yield from scale.sections(scratch, EXAMPLE, runs=RUNS)


def _one_app(user: User, git: GitServer) -> str:
    git.create("resident", deploys.version(EXAMPLE, 1))
    project = user.create_project("resident", git.url("resident"))["id"]
    return str(user.wait(user.deploy(project)["id"], settled=True)["url"])


def _under_load(up: Platform, user: User, git: GitServer, url: str) -> Iterator[Section]:
    yield redeploys.section(user, git, EXAMPLE)
    yield Section(title="The api", rows=alone(*api.latency(user)))
    yield edge.section(up, url)
    yield loglines.section(user, git, EXAMPLE)


def _page(sections: Sequence[Section]) -> str:
    load = os.getloadavg()[0]
    head = f"# Results\n\n{_where()} Load of the machine at the end: {load:.1f}."
    return "\n\n".join([head, *(section.text() for section in sections)]) + "\n"


def _where() -> str:
    when = datetime.now(UTC).date().isoformat()
    cores = f"{os.cpu_count()} cores, Linux {machine.release()}, Python {machine.python_version()}"
    repeated = f"deployments {RUNS} times each, × floor compares medians of the same run"
    return f"Measured {when} on {cores}; {repeated}."


def _verdict(resting: Sequence[Series]) -> int:
    if os.environ.get("BENCH_ACCEPT") == "1":
        baseline.write(resting)
        return 0
    worse = baseline.regressions(resting, baseline.read())
    for sentence in worse:
        print(f"WORSE BY MORE THAN 5 %: {sentence}", file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
