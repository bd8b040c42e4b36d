"""When the supervisor is killed, control outlives it and starts the platform anew.

supervisord cannot adopt what it did not start, so this is an ordinary `up`: it ends what would
become twins, this control among them, and leaves apps serving. Under systemd the unit does it.
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

from autostack.core.home import Home
from autostack.drivers.machine.identity import identify, note, noted

SERVICE = "AUTOSTACK_SERVICE"
"""Set by the systemd unit: somebody else restarts the supervisor."""

_PAUSE = 15.0


@dataclass(slots=True)
class Watch:
    """Notices that the process that started us is gone."""

    parent: int = field(default_factory=os.getppid)
    _tried: float | None = field(default=None, init=False)

    def look(self) -> None:
        if os.getppid() == self.parent or os.environ.get(SERVICE):
            return
        now = time.monotonic()
        if self._tried is None or now - self._tried > _PAUSE:
            self._tried = now
            sys.stderr.write("The supervisor is gone; starting the platform anew.\n")
            _start_anew()


def _start_anew() -> None:
    subprocess.Popen(
        [sys.executable, "-m", "autostack.entrypoints.local.start"],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def begin(home: Home) -> None:
    """Say who tries, so that whoever knows better can call it off."""
    me = identify(os.getpid())
    if me is not None:
        note(home.run / "heal.pid", me)


def call_off(home: Home) -> None:
    """An `up` or `down` of somebody's own decides; call it with the lock held."""
    found = noted(home.run / "heal.pid")
    if found and found.pid != os.getpid():
        found.send(signal.SIGKILL)
