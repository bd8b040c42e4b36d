"""The platform's own programs, and supervisord's configuration for them: settings → text."""

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autostack.core.home import Home
from autostack.core.settings import Settings
from autostack.drivers.machine import users
from autostack.drivers.routers import sites
from autostack.entrypoints.local.errors import HomeUnusable


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program under the supervisor.

    `user` is whom it runs as when the platform is started as root; None stays root. A program
    that `drops_itself` needs root for its first steps only.
    """

    name: str
    module: str
    user: str | None = None
    drops_itself: bool = False
    secrets: bool = False
    """Whether it may see the secret settings."""
    copies: int = 1
    stop_signal: str = "TERM"
    stop_seconds: int = 15
    priority: int


POSTGRES = Program(
    name="postgres",
    module="autostack.entrypoints.postgres",
    user=users.POSTGRES,
    drops_itself=True,
    stop_signal="INT",  # fast shutdown: sessions are ended, nothing is lost
    stop_seconds=30,
    priority=10,
)
LOGS = Program(name="logs", module="autostack.entrypoints.logs", user=users.LOGS, priority=20)
EDGE = Program(
    name="edge",
    module="autostack.entrypoints.edge",
    user=users.EDGE,
    drops_itself=True,
    copies=2,  # Traefik, and the platform's own pages
    priority=30,
)
CONTROL = Program(
    name="control",
    module="autostack.entrypoints.control",
    secrets=True,
    stop_seconds=25,
    priority=40,
)
STATIC = Program(
    name="static",
    module="autostack.entrypoints.static",
    user=users.STATIC,
    drops_itself=True,
    priority=25,
)
PROGRAMS = (POSTGRES, LOGS, EDGE, STATIC, CONTROL)
OUTLIVING = frozenset({EDGE, STATIC})
"""They answer visitors, so they are not ended because their supervisor died."""


def wanted(settings: Settings) -> Sequence[Program]:
    """What runs with these settings, in the order of starting. Static sites are served from the
    first one on.
    """
    absent = {
        POSTGRES: settings.database_url is not None,
        STATIC: not sites.known(settings.layout),
    }
    return [p for p in PROGRAMS if not absent.get(p, False)]


def by_name(name: str) -> Program:
    return next(p for p in PROGRAMS if p.name == name)


def processes(program: Program) -> Sequence[str]:
    """What its processes are called: `control`, but `edge-0` and `edge-1`."""
    if program.copies == 1:
        return [program.name]
    return [f"{program.name}-{number}" for number in range(program.copies)]


def arguments(program: Program, number: int, settings: Settings) -> Sequence[str]:
    """What a module is told; most find all they need in the settings."""
    if program is not EDGE:
        return []
    trusted = [part for each in settings.trusted_proxies for part in ("--trusted-proxy", each)]
    home, port = str(settings.home), str(settings.edge_port)
    told = ["--home", home, "--port", port, "--user", str(program.user), *trusted]
    return [*told, "--number", str(number)]


def supervisor_config(settings: Settings) -> str:
    """supervisord's whole configuration file."""
    home = settings.layout
    sections = [_supervisord(home), *_sockets(home)]
    running = wanted(settings)
    sections += [_program(p, settings, start=True) for p in running]
    if STATIC not in running:
        sections.append(_program(STATIC, settings, start=False))
    return "\n".join(sections)


def _supervisord(home: Home) -> str:
    # Root on purpose: it starts each app as a user of its own.
    root = {"user": "root"} if os.geteuid() == 0 else {}
    return _section(
        "supervisord",
        {
            **root,
            "nodaemon": "true",
            "silent": "true",
            "identifier": "autostack",
            "logfile": _text(home.platform_log("supervisor")),
            "logfile_maxbytes": "1MB",
            "logfile_backups": "1",
            "loglevel": "info",
            "pidfile": _text(home.run / "supervisord.pid"),
            "childlogdir": _text(home.logs / "platform"),
            "nocleanup": "true",
        },
    )


def _sockets(home: Home) -> Sequence[str]:
    return [
        _section("unix_http_server", {"file": _text(home.supervisor_socket), "chmod": "0700"}),
        _section(
            "rpcinterface:supervisor",
            {"supervisor.rpcinterface_factory": ("supervisor.rpcinterface:make_main_rpcinterface")},
        ),
        _section(
            "rpcinterface:autostack",
            {"supervisor.rpcinterface_factory": "autostack.drivers.machine.supervisor_plugin:make"},
        ),
    ]


def _program(program: Program, settings: Settings, *, start: bool) -> str:
    kind, extra = "program", dict[str, str]()
    if program is EDGE:
        # The supervisor holds the listening socket; the program gets it as fd 0.
        kind = "fcgi-program"
        extra = {
            "socket": f"tcp://0.0.0.0:{settings.edge_port}",
            "numprocs": str(program.copies),
            "process_name": f"{program.name}-%(process_num)d",
        }
    return _section(
        f"{kind}:{program.name}",
        {
            "command": _command(program),
            **extra,
            "priority": str(program.priority),
            "startsecs": "1",
            "startretries": "100000",
            "autostart": str(start).lower(),
            "autorestart": "true",
            "stopsignal": program.stop_signal,
            "stopwaitsecs": str(program.stop_seconds),
            # Only what goes wrong before the launcher opens the log itself comes this way: a
            # supervisor's death must not turn a program's next line into a broken pipe.
            "redirect_stderr": "true",
            "stdout_logfile": _text(settings.layout.platform_log(program.name)),
            "stdout_logfile_maxbytes": "0",
        },
    )


def _command(program: Program) -> str:
    argv = [sys.executable, "-m", "autostack.entrypoints.launch", program.name]
    return f"{_text(shlex.join(argv))} %(process_num)d"


def _section(name: str, values: Mapping[str, str]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in values.items()), ""])


def _text(value: Path | str) -> str:
    """A value supervisord reads back as it was: it expands % and cuts at ` ;` and ` #`."""
    text = str(value)
    if not text.isprintable() or " ;" in text or " #" in text:
        raise HomeUnusable(Path(text), "its path holds characters supervisord cannot read")
    return text.replace("%", "%%")
