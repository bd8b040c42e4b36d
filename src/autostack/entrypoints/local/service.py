"""The systemd unit: text first, then where it goes."""

import getpass
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from autostack.core.errors import Conflict, Unavailable
from autostack.core.settings import Settings
from autostack.drivers.machine.identity import noted
from autostack.entrypoints.local import ready, stop
from autostack.entrypoints.local.environ import SECRET, clean
from autostack.entrypoints.local.errors import StartedByHand
from autostack.entrypoints.local.heal import SERVICE

NAME = "autostack.service"
_LIMIT = 30.0
# Of the unit's own patience with ExecStop, and a little more.
_STOP_LIMIT = 160.0
_READY_LIMIT = 180.0
_LINGERING = Path("/var/lib/systemd/linger")


class NoSystemd(Unavailable):
    def __init__(self) -> None:
        super().__init__("This machine does not run systemd.")
        self.hint = (
            f"Let your init system keep this command running: {sys.executable} -m "
            "autostack.entrypoints.cli.main up, or run `autostack up --detach` at boot (for "
            "example `@reboot` in crontab)."
        )


class SystemdRefused(Unavailable):
    def __init__(self, said: str, *, look: str) -> None:
        super().__init__(f"systemd did not take the unit: {said}")
        self.hint = f"See `{look}`."


class UnitOfAnother(Conflict):
    """There is one unit a machine or user: to take it over would leave the other unwatched."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} runs another platform, not the one in this AUTOSTACK_HOME.")
        self.hint = "Run this with the AUTOSTACK_HOME that stands in that file."


class NotAllowedToLinger(Unavailable):
    def __init__(self, user: str, *, said: str) -> None:
        super().__init__(f"Your services would end when you sign out: {said}")
        self.hint = f"Let root run `loginctl enable-linger {user}`, then run this again."


class ServiceFailed(Unavailable):
    def __init__(self, said: str, *, look: str) -> None:
        super().__init__(f"The service does not come up. Its last lines:\n{said}")
        self.hint = f"systemd goes on trying. All it said: `{look}`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit file, and whether it belongs to the system or to one user."""

    path: Path
    text: str
    system: bool

    @property
    def scope(self) -> list[str]:
        return [] if self.system else ["--user"]

    @property
    def look(self) -> str:
        """The command that shows what it said."""
        return shlex.join(["journalctl", *self.scope, "-u", "autostack"])


def unit(settings: Settings, environ: Mapping[str, str]) -> Unit:
    system = os.geteuid() == 0
    folder = Path("/etc/systemd/system") if system else Path.home() / ".config/systemd/user"
    return Unit(path=folder / NAME, text=text(settings, environ, system=system), system=system)


def text(settings: Settings, environ: Mapping[str, str], *, system: bool) -> str:
    """KillMode=process: when the supervisor dies, apps go on serving until it is back.

    ExecStop runs when the service is to end, not when it was killed: it ends all apps at once,
    also those that outlived a supervisor. Restart=on-failure: `autostack down --apps` is no
    failure. No start limit: what a reboot has to wait for may take longer than five tries.
    """
    secret = {f"AUTOSTACK_{name.upper()}" for name in SECRET}
    kept = clean(environ, home=settings.home)
    shown = {name: kept[name] for name in sorted(kept) if name not in {*secret, "HOME"}}
    command = f"{_quoted(sys.executable)} -m autostack.entrypoints.cli.main"
    lines = [
        "[Unit]",
        "Description=AutoStack deployment platform",
        "After=network-online.target",
        "Wants=network-online.target",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        f"ExecStart={command} up",
        f"ExecStop={command} down --apps",
        *(f"Environment={_quoted(f'{name}={value}')}" for name, value in shown.items()),
        f"Environment={SERVICE}=systemd",
        "KillMode=process",
        "Restart=on-failure",
        "RestartSec=2",
        "TimeoutStopSec=150",
        "Delegate=yes",
        "",
        "[Install]",
        f"WantedBy={'multi-user.target' if system else 'default.target'}",
        "",
    ]
    return "\n".join(lines)


def install(made: Unit, settings: Settings) -> bool:
    """Write, load and start it; return once it is ready. False when it ran before: then what
    changed in the unit counts from its next start on.
    """
    _check(made, settings)
    if not made.system:
        _linger(getpass.getuser())
    running = noted(settings.layout.run / "supervisor.pid")
    if running and str(running.pid) != _shown(made, "MainPID"):
        raise StartedByHand
    made.path.parent.mkdir(parents=True, exist_ok=True)
    made.path.write_text(made.text, encoding="utf-8")
    for argv in (["daemon-reload"], ["enable", "--now", NAME]):
        _systemctl(made, argv)
    ready.wait(settings, alive=lambda: _alive(made), seconds=_READY_LIMIT)
    return running is None


def uninstall(made: Unit, settings: Settings) -> bool:
    """End the platform, apps included, and remove the unit; what is in AUTOSTACK_HOME stays.
    False when there is no unit. A platform that systemd did not start goes on.
    """
    if not made.path.exists():
        return False
    _check(made, settings)
    _systemctl(made, ["disable", "--now", NAME], seconds=_STOP_LIMIT)
    made.path.unlink()
    _systemctl(made, ["daemon-reload"])
    if noted(settings.layout.run / "supervisor.pid") is None:
        # While it waits to start a killed supervisor again, systemd has nothing to stop.
        stop.down(settings, apps=True, say=lambda _: None)
    return True


def _check(made: Unit, settings: Settings) -> None:
    """Whether systemd runs here, and the unit, if there is one, runs this platform."""
    if not Path("/run/systemd/system").is_dir():
        raise NoSystemd
    if made.path.exists() and _home(settings) not in made.path.read_text().splitlines():
        raise UnitOfAnother(made.path)


def _home(settings: Settings) -> str:
    return f"Environment={_quoted(f'AUTOSTACK_HOME={settings.home}')}"


def _linger(user: str) -> None:
    """Otherwise a user's services start at the first sign-in and end with the last session."""
    if (_LINGERING / user).exists():
        return
    done = _run(["loginctl", "enable-linger", user])
    if done.returncode:
        raise NotAllowedToLinger(user, said=done.stderr.strip())
    end = time.monotonic() + _LIMIT
    while not (_run_folder() / "systemd/private").exists() and time.monotonic() < end:
        time.sleep(0.1)  # until the user's own systemd is up


def _alive(made: Unit) -> bool:
    """Asked while no supervisor answers. systemd waits for the next try in `auto-restart`."""
    if _shown(made, "SubState") in {"auto-restart", "failed", "dead"}:
        argv = [*shlex.split(made.look), "--no-pager", "--output=cat", "--lines=8"]
        raise ServiceFailed(_run(argv).stdout.strip(), look=made.look)
    return True


def _shown(made: Unit, name: str) -> str:
    return _systemctl(made, ["show", "--value", f"--property={name}", NAME])


def _systemctl(made: Unit, argv: list[str], *, seconds: float = _LIMIT) -> str:
    done = _run(["systemctl", *made.scope, *argv], seconds=seconds)
    if done.returncode:
        raise SystemdRefused(done.stderr.strip(), look=made.look)
    return done.stdout.strip()


def _run(argv: list[str], *, seconds: float = _LIMIT) -> subprocess.CompletedProcess[str]:
    program = shutil.which(argv[0])
    if program is None:
        raise NoSystemd
    # Where `su` or `sudo` has led here nothing says which user's systemd is meant.
    env = {"XDG_RUNTIME_DIR": str(_run_folder()), **os.environ}
    return subprocess.run(
        [program, *argv[1:]], env=env, capture_output=True, text=True, timeout=seconds, check=False
    )


def _run_folder() -> Path:
    return Path(f"/run/user/{os.getuid()}")


def _quoted(value: str) -> str:
    """As systemd.syntax(7) reads it; % begins a specifier."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
