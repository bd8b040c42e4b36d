"""`make bench`: figures beside their floors, from one run on one machine."""

import os
import platform as machine
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import deploys, floors, idle
from benchmarks.series import table
from tests.gitserver import GitServer
from tests.platform import User, platform

ROOT = Path(__file__).parents[1]
RUNS = int(os.environ.get("BENCH_RUNS", "5"))


def main() -> int:
    example = ROOT / "examples" / "flask"
    with tempfile.TemporaryDirectory() as scratch, GitServer(Path(scratch)) as git:
        git.create("floor", deploys.version(example, 1))
        floor = floors.flask(git.url("floor"), runs=RUNS)
        with platform() as up:
            user = User.register(up)
            cold, warm = deploys.flask(user, git, example, runs=RUNS)
            memory, cpu = idle.measure(up)
    report = table([(floor, None), (cold, floor), (warm, floor), (memory, None), (cpu, None)])
    print(report)
    (ROOT / "benchmarks" / "results.md").write_text(_page(report))
    return 0


def _page(report: str) -> str:
    when = datetime.now(UTC).date().isoformat()
    where = f"{os.cpu_count()} cores, Linux {machine.release()}, Python {machine.python_version()}"
    return f"# Results\n\n{when}; {where}; {RUNS} runs each, by `make bench`.\n\n{report}\n"


if __name__ == "__main__":
    sys.exit(main())
