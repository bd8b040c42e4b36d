"""Servers this user knows, and the tokens for them: `$XDG_CONFIG_HOME/autostack/config.json`."""

import fcntl
import json
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, cast

DEFAULT_SERVER = "http://127.0.0.1:8000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """A session on one server. The refresh token is good for one use."""

    email: str
    access_token: str
    refresh_token: str


def config_file() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "autostack" / "config.json"


def servers() -> Mapping[str, Login]:
    try:
        return {url: Login(**login) for url, login in _read()["servers"].items()}
    except (KeyError, TypeError, AttributeError):
        return {}


def device(server: str, email: str) -> str | None:
    """What makes this a known device for an account, also after its session has ended."""
    found = _devices().get(_device_key(server, email))
    return found if isinstance(found, str) else None


def remember_device(server: str, email: str, token: str) -> None:
    _write(servers(), {**_devices(), _device_key(server, email): token})


def _device_key(server: str, email: str) -> str:
    return f"{server} {email.strip().casefold()}"


def _devices() -> Mapping[str, Any]:
    found = _read().get("devices")
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _read() -> Mapping[str, Any]:
    try:
        found = json.loads(config_file().read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def named_server() -> str:
    """AUTOSTACK_SERVER."""
    return os.environ.get("AUTOSTACK_SERVER", "").rstrip("/")


def default_server() -> str:
    """The one signed in to last, else this machine's."""
    known = list(servers())
    if known:
        return known[-1]
    port = os.environ.get("AUTOSTACK_PORT")
    return f"http://127.0.0.1:{port}" if port else DEFAULT_SERVER


def remember(server: str, login: Login) -> None:
    """The newest last, so that it is the default."""
    known = {url: found for url, found in servers().items() if url != server}
    _write({**known, server: login}, _devices())


def forget(server: str) -> None:
    known = {url: login for url, login in servers().items() if url != server}
    _write(known, _devices())


@contextmanager
def locked() -> Generator[None]:
    """One at a time: a refresh token that is used twice ends its session."""
    file = config_file().with_suffix(".lock")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _write(known: Mapping[str, Login], devices: Mapping[str, Any]) -> None:
    """Whole or not at all, and for this user's eyes only."""
    file = config_file()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=file.parent, delete=False) as fresh:  # made 0600
        logins = {url: asdict(login) for url, login in known.items()}
        json.dump({"servers": logins, "devices": dict(devices)}, fresh)
    Path(fresh.name).replace(file)
