"""The systemd unit: text first, then where it goes."""

import getpass
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autostack.core.errors import Unavailable
from autostack.core.settings import Settings
from autostack.entrypoints.local.environ import SECRET, clean
from autostack.entrypoints.local.heal import SERVICE

NAME = "autostack.service"
_LIMIT = 30.0


class NoSystemd(Unavailable):
    def __init__(self) -> None:
        super().__init__("This machine does not run systemd, so there is no unit to install.")
        self.hint = (
            f"Let your init system keep this command running: {sys.executable} -m "
            "autostack.entrypoints.cli.main up, or run `autostack up --detach` at boot (for "
            "example `@reboot` in crontab)."
        )


class SystemdRefused(Unavailable):
    def __init__(self, said: str) -> None:
        super().__init__(f"systemd did not take the unit: {said}")
        self.hint = "See `journalctl -u autostack`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit file, and whether it belongs to the system or to one user."""

    path: Path
    text: str
    system: bool


def unit(settings: Settings, environ: Mapping[str, str]) -> Unit:
    system = os.geteuid() == 0
    folder = Path("/etc/systemd/system") if system else Path.home() / ".config/systemd/user"
    return Unit(path=folder / NAME, text=text(settings, environ, system=system), system=system)


def text(settings: Settings, environ: Mapping[str, str], *, system: bool) -> str:
    """KillMode=process: when the supervisor dies, apps go on serving until it is back."""
    secret = {f"AUTOSTACK_{name.upper()}" for name in SECRET}
    kept = clean(environ, home=settings.home)
    shown = {name: kept[name] for name in sorted(kept) if name not in {*secret, "HOME"}}
    lines = [
        "[Unit]",
        "Description=AutoStack deployment platform",
        "After=network-online.target",
        "Wants=network-online.target",
        "",
        "[Service]",
        f"ExecStart={_quoted(sys.executable)} -m autostack.entrypoints.cli.main up",
        *(f"Environment={_quoted(f'{name}={value}')}" for name, value in shown.items()),
        f"Environment={SERVICE}=systemd",
        "KillMode=process",
        "Restart=always",
        "RestartSec=1",
        "TimeoutStopSec=150",
        "Delegate=yes",
        "",
        "[Install]",
        f"WantedBy={'multi-user.target' if system else 'default.target'}",
        "",
    ]
    return "\n".join(lines)


def install(made: Unit) -> None:
    """Write, load and start it."""
    if not Path("/run/systemd/system").is_dir():
        raise NoSystemd
    made.path.parent.mkdir(parents=True, exist_ok=True)
    made.path.write_text(made.text, encoding="utf-8")
    scope = [] if made.system else ["--user"]
    for argv in (["daemon-reload"], ["enable", "--now", NAME]):
        _systemctl([*scope, *argv])
    if not made.system:
        # A user's services end with the last session otherwise.
        _run(["loginctl", "enable-linger", getpass.getuser()])


def _systemctl(argv: list[str]) -> None:
    done = _run(["systemctl", *argv])
    if done.returncode:
        raise SystemdRefused(done.stderr.strip())


def _run(argv: list[str]) -> subprocess.CompletedProcess[str]:
    program = shutil.which(argv[0])
    if program is None:
        raise NoSystemd
    return subprocess.run(
        [program, *argv[1:]], capture_output=True, text=True, timeout=_LIMIT, check=False
    )


def _quoted(value: str) -> str:
    """As systemd.syntax(7) reads it; % begins a specifier."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
