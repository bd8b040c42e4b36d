"""What the kernel says about the platform's processes; nothing here asks the platform."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One process, from /proc."""

    pid: int
    parent: int
    uid: int
    capabilities: int
    no_new_privileges: bool
    seccomp: int
    command: str


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def see(pid: int) -> Seen:
    fields = _status(pid)
    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return Seen(
        pid=pid,
        parent=int(fields["PPid"]),
        uid=int(fields["Uid"].split()[1]),
        capabilities=int(fields["CapEff"], 16) | int(fields["CapPrm"], 16),
        no_new_privileges=fields.get("NoNewPrivs") == "1",
        seccomp=int(fields.get("Seccomp", "0")),
        command=command,
    )


def below(pid: int) -> Sequence[Seen]:
    """A process and everything it started, still alive."""
    return list(_below(psutil.Process(pid)))


def _below(root: psutil.Process) -> Iterator[Seen]:
    for process in (root, *root.children(recursive=True)):
        try:
            yield see(process.pid)
        except (FileNotFoundError, ProcessLookupError):
            continue


def proportional_memory(pids: Sequence[int]) -> int:
    """PSS of these processes together, in bytes."""
    return sum(_pss(pid) for pid in pids)


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
