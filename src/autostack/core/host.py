"""What this platform took for itself on the machine, decided once at the first `up`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from autostack.core.home import Home

# systemd's registry of user ids (UIDS-GIDS.md) lists 1879048192…2147483647 as unused.
FIRST_UID = 1_900_000_000
UIDS_PER_PLATFORM = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """Ranges features allocate from, under unique indexes.

    With `subnet` (IPv4 CIDR, root only) each instance has an address of its own on `bridge` and
    its uid from `first_uid` on; without it instances share the host's network and user, and get
    ports from `first_port` on.
    """

    bridge: str | None
    subnet: str | None
    first_uid: int
    first_port: int = 20_000
    ports: int = 10_000


def save(home: Home, host: Host) -> None:
    _file(home).write_text(json.dumps(asdict(host), indent=1))


def load(home: Home) -> Host | None:
    """None before the first `up`."""
    try:
        return Host(**json.loads(_file(home).read_text()))
    except FileNotFoundError:
        return None


def _file(home: Home) -> Path:
    return home.root / "host.json"
