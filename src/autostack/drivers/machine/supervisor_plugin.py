"""Loaded by supervisord: instances as programs, without re-reading its configuration.

    [rpcinterface:autostack]
    supervisor.rpcinterface_factory = autostack.drivers.machine.supervisor_plugin:make

supervisord has no types; this file is the edge to it.
"""

# pyright: basic
# ruff: noqa: ANN401
import json
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from supervisor.datatypes import RestartUnconditionally
from supervisor.options import ProcessConfig, ProcessGroupConfig
from supervisor.process import Subprocess
from supervisor.xmlrpc import Faults, RPCError

from autostack.drivers.machine import cgroup, processes, remark

QUICK = 10
"""Seconds an instance must live; one that ends sooner is retried 1, 2, 3 … seconds later."""
RETRIES = 4
"""Quick ends in a row after which it is given up."""


def make(supervisord: Any, **_: Any) -> "Programs":
    return Programs(supervisord)


class Programs:
    """What `supervisor.py` calls. Names are ours: an instance's id."""

    def __init__(self, supervisord: Any) -> None:
        self._supervisord = supervisord

    def add(self, name: str, argv: list[str], state: str) -> bool:
        """Start a program; False when one of this name is there already."""
        options = InstanceOptions(self._supervisord.options, Path(state))
        config = InstanceConfig(options, argv=argv, **_settings(name))
        group = ProcessGroupConfig(options, name, 999, [config])
        if not self._supervisord.add_process_group(group):
            return False
        self._find(name).spawn()
        return True

    def stop(self, name: str, grace: float) -> bool:
        """Tell it to stop, and kill it after `grace` seconds; it is not restarted any more."""
        process = self._find(name)
        self._supervisord.reap()
        process.config.autorestart = False
        process.config.stopwaitsecs = grace
        process.stop()
        return True

    def remove(self, name: str) -> bool:
        """Forget a program that has ended; False while it has not, or when it is unknown."""
        if name not in self._supervisord.process_groups:
            return False
        self._supervisord.reap()
        return bool(self._supervisord.remove_process_group(name))

    def states(self) -> str:
        """All programs, the platform's own included, as JSON: it is asked for every second, and
        XML takes fifteen times as long to read.
        """
        self._supervisord.reap()
        for group in list(self._supervisord.process_groups.values()):
            for process in group.processes.values():
                if isinstance(process, InstanceProcess):
                    process.note_kills()
        return json.dumps(
            [
                _state(process)
                for group in list(self._supervisord.process_groups.values())
                for process in group.processes.values()
            ]
        )

    def _find(self, name: str) -> Any:
        try:
            return self._supervisord.process_groups[name].processes[name]
        except KeyError:
            raise RPCError(Faults.BAD_NAME, name) from None


def _state(process: Any) -> dict[str, Any]:
    return {
        "group": process.group.config.name,
        "name": process.config.name,
        "state": process.get_state(),
        "pid": process.pid,
        "restarts": max(0, getattr(process, "spawns", 1) - 1),
        "code": getattr(process, "code", process.exitstatus),
        "oom": getattr(process, "oom", False),
        "stopping": not process.config.autorestart,
    }


def _settings(name: str) -> dict[str, Any]:
    """Everything supervisord wants to know of a program; output goes past it."""
    streams = {
        f"{stream}_{setting}": value
        for stream in ("stdout", "stderr")
        for setting, value in {
            "logfile": None, "capture_maxbytes": 0, "events_enabled": False, "syslog": False,
            "logfile_backups": 0, "logfile_maxbytes": 0,
        }.items()
    }  # fmt: skip
    return {
        "name": name, "uid": None, "command": "", "directory": None, "umask": None, "priority": 999,
        "autostart": False, "autorestart": RestartUnconditionally, "startsecs": QUICK,
        "startretries": RETRIES, "stopsignal": signal.SIGTERM, "stopwaitsecs": 10,
        "stopasgroup": False, "killasgroup": False, "exitcodes": [0], "redirect_stderr": True,
        "environment": None, "serverurl": "", **streams,
    }  # fmt: skip


class InstanceOptions:
    """supervisord's options, but a signal goes into the sandbox instead of to bubblewrap."""

    def __init__(self, options: Any, state: Path) -> None:
        self._options = options
        self.state = state

    def __getattr__(self, name: str) -> Any:
        return getattr(self._options, name)

    def kill(self, pid: int, number: int) -> None:
        init = processes.init_of(self.state)
        if init is None:
            os.kill(pid, number)
        elif number == signal.SIGKILL:
            os.kill(init, number)
        else:
            processes.send(processes.addressees(init), number)


class InstanceConfig(ProcessConfig):  # type: ignore[misc]
    def __init__(self, options: InstanceOptions, *, argv: list[str], **settings: Any) -> None:
        super().__init__(options, **settings)
        self.argv = argv
        self.id = UUID(settings["name"])

    def make_process(self, group: Any = None) -> "InstanceProcess":
        process = InstanceProcess(self)
        process.group = group
        return process


class InstanceProcess(Subprocess):  # type: ignore[misc]
    """Counts its starts, and remembers how it ended last."""

    def __init__(self, config: InstanceConfig) -> None:
        super().__init__(config)
        self._argv = config.argv
        self._id = config.id
        self.spawns = 0
        self.code: int | None = None
        self.oom = False
        self._state = config.options.state
        self._oom_kills = self._noted = 0

    def get_execv_args(self) -> tuple[str, list[str]]:
        return self._argv[0], self._argv

    def spawn(self) -> Any:
        self.spawns += 1
        return super().spawn()

    def finish(self, pid: int, sts: int) -> None:
        self.code = os.waitstatus_to_exitcode(sts)
        kills = cgroup.use(self._id).oom_kills
        self.oom, self._oom_kills = kills > self._oom_kills, kills
        self.note_kills()
        super().finish(pid, sts)

    def note_kills(self) -> None:
        """Into its log: it may be one of several processes that was killed, and the app go on."""
        kills = cgroup.use(self._id).oom_kills
        if kills <= self._noted:
            return
        self._noted = kills
        with suppress(OSError, ValueError, KeyError, TypeError):
            output = json.loads((self._state / "launch.json").read_text())["output"]
            remark.append(Path(output), remark.out_of_memory(cgroup.cap(self._id)))
