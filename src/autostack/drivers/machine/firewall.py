"""Packet filters of others that would cut instances off from the internet.

Docker, ufw and some distributions let nothing be forwarded by default. An accept in a table of
our own does not overrule that: every chain of a hook has its say. So where iptables rules the
hook, its own chain is told to let our bridge pass.
"""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from autostack.drivers.machine import nftables

PROGRAMS = ("iptables-nft", "iptables-legacy")
PATHS = "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin"
LEGACY_TABLES = Path("/proc/net/ip_tables_names")
IPTABLES = nftables.Chain(family=nftables.IPV4, table="filter", name="FORWARD")
# Docker leaves this one to others, and asks it first.
CHAINS = ("DOCKER-USER", "FORWARD")
LIMIT = 20  # seconds


def rules(bridge: str) -> Sequence[Sequence[str]]:
    """Out everything, in only answers; what our own table drops stays dropped."""
    answers = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"]
    return [["-i", bridge, "-j", "ACCEPT"], ["-o", bridge, *answers, "-j", "ACCEPT"]]


def cuts_off(bridge: str) -> bool:
    """Whether something is to be done: a millisecond where nothing forbids forwarding."""
    if not _forbidden():
        return False
    return any(not _there(program, rule) for program, rule in _wanted(bridge))


def let_pass(bridge: str) -> None:
    """Again changes nothing. What cannot be changed here, `obstacles` names."""
    for program, rule in _wanted(bridge):
        if not _there(program, rule):
            chain = next((one for one in CHAINS if _run(program, "-S", one)), CHAINS[-1])
            _run(program, "-I", chain, *rule)


def forget(bridge: str) -> None:
    """Take our rules out again, wherever they are."""
    for program in _programs():
        for rule in rules(bridge):
            for chain in CHAINS:
                _run(program, "-D", chain, *rule)


def obstacles() -> Sequence[nftables.Chain]:
    """Chains that drop what is forwarded and that we cannot tell otherwise."""
    mended = {IPTABLES} if any(True for _ in _programs()) else set[nftables.Chain]()
    return [chain for chain in nftables.dropping(nftables.FORWARD) if chain not in mended]


def _forbidden() -> bool:
    return _has_legacy() or IPTABLES in nftables.dropping(nftables.FORWARD)


def _wanted(bridge: str) -> Iterator[tuple[str, Sequence[str]]]:
    for program in _programs():
        policy = (_run(program, "-S", "FORWARD") or "").split("\n", 1)[0]
        if policy == "-P FORWARD DROP":
            yield from ((program, rule) for rule in rules(bridge))


def _there(program: str, rule: Sequence[str]) -> bool:
    return any(_run(program, "-C", chain, *rule) is not None for chain in CHAINS)


def _programs() -> Iterator[str]:
    """Each that has rules in this kernel. To ask the legacy one would make it have some."""
    found = {name: shutil.which(name, path=PATHS) for name in PROGRAMS}
    for name, program in found.items():
        if program and (name != PROGRAMS[1] or _has_legacy()):
            yield program
    plain = shutil.which("iptables", path=PATHS)
    if plain and not any(found.values()):
        yield plain


def _has_legacy() -> bool:
    try:
        return "filter" in LEGACY_TABLES.read_text().split()
    except OSError:
        return False


def _run(program: str, *arguments: str) -> str | None:
    """What it prints; None when it says no."""
    done = subprocess.run(
        [program, "-w", "5", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return done.stdout if done.returncode == 0 else None
