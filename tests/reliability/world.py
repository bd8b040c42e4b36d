"""What there is of a platform on the machine, against what its rows say there should be."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from autostack.core import host as hosts
from autostack.core.host import UIDS_PER_PLATFORM
from autostack.drivers.machine import cgroup
from autostack.drivers.machine.identity import noted
from autostack.drivers.machine.supervisor import Supervisor, SupervisorDown
from autostack.drivers.routers import documents
from tests.platform import Platform
from tests.reliability.gate import Rows

PARTS = ("worker", "api", "control", "postgres", "edge", "logs", "supervisor")
"""Every process of the platform itself; dockerd is not one of them."""
NOTES = {part: part for part in PARTS} | {"edge": "edge-0"}


def pid(platform: Platform, part: str) -> int | None:
    found = noted(platform.home.run / f"{NOTES[part]}.pid")
    return found.pid if found else None


@dataclass(frozen=True, slots=True)
class World:
    """One platform with one environment of interest."""

    platform: Platform
    rows: Rows

    def living(self) -> list[dict[str, Any]]:
        return self.rows.all("select * from instances where freed_at is null")

    def at_rest(self) -> bool:
        """Nothing is at work, and nothing waits to be."""
        unsettled = "select from deployments where settled_at is null and status <> 'failed'"
        return self.rows.count(unsettled) == 0

    def surplus(self) -> list[str]:
        """Everything doubled, left over or missing, in words; empty when all is as it should be."""
        return [
            *self._doubled_instances(),
            *self._left_directories(),
            *self._left_groups(),
            *self._left_links(),
            *self._stray_processes(),
            *self._open_steps(),
            *self._twins(),
            *self._orphans(),
            *self._wrong_routes(),
        ]

    def _doubled_instances(self) -> Iterator[str]:
        routed = {row["deployment_id"] for row in self.rows.all("select * from routes")}
        seats = Counter(
            (row["environment_id"], row["process"], row["index"]) for row in self.living()
        )
        yield from (f"{count} × {seat}" for seat, count in seats.items() if count > 1)
        for row in self.living():
            if row["deployment_id"] not in routed:
                yield f"instance {row['id']} of {row['deployment_id']}, which is not routed"

    def _ids(self) -> set[str]:
        return {str(row["id"]) for row in self.living()}

    def _left_directories(self) -> Iterator[str]:
        for difference in {
            one.name for one in self.platform.home.instances.iterdir()
        } ^ self._ids():
            yield f"directory and row differ in {difference}"

    def _left_groups(self) -> Iterator[str]:
        """cgroups of instances that are gone, and of builds and commands that are over."""
        known = self.rows.all("select id from instances union select id from deployments")
        for row in known:
            here = any(path.exists() for path in cgroup.directories(UUID(str(row["id"]))))
            if here != (str(row["id"]) in self._ids()):
                yield f"cgroup of {row['id']}: {'left' if here else 'missing'}"

    def _left_links(self) -> Iterator[str]:
        """A network namespace hangs on its link to the bridge, and goes with it."""
        host = hosts.load(self.platform.home)
        assert host is not None
        if host.bridge is None:
            return
        links = {one.name for one in Path(f"/sys/class/net/{host.bridge}/brif").iterdir()}
        wanted = {f"as{UUID(one).hex[-12:]}" for one in self._ids()}
        yield from (f"link and row differ in {one}" for one in links ^ wanted)

    def _stray_processes(self) -> Iterator[str]:
        """By the users of this platform's apps and builds: one program an instance, no other."""
        host = hosts.load(self.platform.home)
        assert host is not None
        ours = range(host.first_uid, host.first_uid + UIDS_PER_PLATFORM)
        found = Counter[int]()
        commands = dict[int, str]()
        for process in psutil.process_iter(["uids", "cmdline"]):
            info = process.info
            if info["uids"] and info["uids"].real in ours and info["cmdline"]:
                uid, argv = int(info["uids"].real), list(info["cmdline"])
                commands[uid] = " ".join(argv)
                found[uid] += argv[-1].endswith(".py") and len(argv) == 2
        wanted = {int(row["uid"]): row for row in self.living()}
        for uid in commands.keys() - wanted.keys():
            yield f"a process nobody wants: {commands[uid]}"
        for uid, row in wanted.items():
            if found[uid] != 1:
                yield f"{found[uid]} programs of {row['process']} ({row['id']})"

    def _open_steps(self) -> Iterator[str]:
        query = "select * from steps where outcome is null"
        yield from (f"step {row['name']} is open" for row in self.rows.all(query))

    def _twins(self) -> Iterator[str]:
        """Two workers, two supervisors … of this platform."""
        found = Counter(_programs(self.platform.root))
        yield from (f"{count} × {name}" for name, count in found.items() if count > 1)

    def _orphans(self) -> Iterator[str]:
        """Nobody would start them again."""
        supervisor = Supervisor(self.platform.home.supervisor_socket)
        try:
            known = {one.name for one in asyncio.run(supervisor.programs())}
        except SupervisorDown:
            known = set[str]()
        yield from (f"{one} is nobody's" for one in self._ids() - known)

    def _wrong_routes(self) -> Iterator[str]:
        for row in self.rows.all("select * from routes"):
            path = self.platform.home.edge / "routes" / f"{row['environment_id']}.yml"
            generation = documents.generation_of(path.read_text())
            if generation != row["generation"]:
                yield f"the edge has generation {generation}, the row {row['generation']}"


def _programs(root: Path) -> Iterator[str]:
    """The platform's own programs by module, each once: forks of one are its children."""
    for process in psutil.process_iter(["pid", "ppid", "cmdline"]):
        argv = " ".join(process.info["cmdline"] or [])
        _, module, name = argv.partition("autostack.entrypoints.")
        if not module or _home(process.info["pid"]) != str(root):
            continue
        if not _argv(process.info["ppid"]).endswith(name):
            yield name


def _argv(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""


def _home(pid: int) -> str:
    try:
        environ = Path(f"/proc/{pid}/environ").read_text(errors="replace").split("\0")
    except OSError:
        return ""
    return next((one[15:] for one in environ if one.startswith("AUTOSTACK_HOME=")), "")
