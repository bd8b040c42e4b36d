"""Why the platform on this machine does not start.

AutostackError
├── Conflict
│   ├── PortInUse            somebody else listens there
│   ├── PortForbidden        a port below 1024 without root
│   ├── HomeOfAnother        AUTOSTACK_HOME belongs to another user
│   ├── StartedByHand        the service finds a platform that systemd did not start
│   ├── RunsOtherwise        it runs with other addresses than asked for
│   ├── SupervisorSilent     it runs but does not answer
│   └── Busy                 another `up` or `down` is at work
├── Invalid
│   ├── AddressUnknown       this machine has no such address
│   ├── HomeUnusable         its path cannot hold a platform
│   └── SettingsWrong        a setting does not parse
└── Unavailable
    ├── DiskFull             too little space
    ├── PartFailed           a program of the platform does not come up
    ├── PartRefused          it said itself why not
    ├── NotReady             the deadline passed
    └── NotStopped           some of it is still there
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from autostack.core.errors import Conflict, Invalid, Unavailable

MIB = 1 << 20
LAST_PORT = 65535


class PortInUse(Conflict):
    def __init__(self, *, port: int, purpose: str, setting: str, holder: str | None) -> None:
        who = f" by {holder}" if holder else ""
        super().__init__(f"Port {port}, wanted for {purpose}, is in use{who}.")
        self.hint = f"End that program, or choose another port: {setting}={other_port(port)}"


class PortForbidden(Conflict):
    def __init__(self, *, port: int, purpose: str, setting: str) -> None:
        super().__init__(f"Port {port}, wanted for {purpose}, is reserved for root.")
        self.hint = f"Choose a port above 1023 ({setting}={8000 + port % 1000}), or start as root."


class AddressUnknown(Invalid):
    def __init__(self, address: str) -> None:
        super().__init__(f"This machine has no address {address!r} to listen on.")
        self.hint = "Set AUTOSTACK_BIND to 127.0.0.1, 0.0.0.0 or an address of this machine."


class HomeOfAnother(Conflict):
    def __init__(self, home: Path, *, owner: str, me: str) -> None:
        super().__init__(f"{home} belongs to {owner}, and you are {me}.")
        self.hint = f"Run it as {owner}, or choose another directory: AUTOSTACK_HOME=/path"


class HomeUnusable(Invalid):
    def __init__(self, home: Path, reason: str) -> None:
        super().__init__(f"{home} cannot hold a platform: {reason}.")
        self.hint = "Choose another directory: AUTOSTACK_HOME=/path"


class SettingsWrong(Invalid):
    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(f"The settings are not right: {'; '.join(problems)}.")
        self.hint = (
            "They come from the environment (AUTOSTACK_…) and $AUTOSTACK_HOME/autostack.toml."
        )


class Busy(Conflict):
    def __init__(self, home: Path) -> None:
        super().__init__(f"Another `autostack up` or `down` is at work on {home}.")
        self.hint = "Wait until it is done, then try again."


class DiskFull(Unavailable):
    def __init__(self, home: Path, *, free: int, needed: int) -> None:
        super().__init__(
            f"{home} has {free // MIB} MB of free disk space; {needed // MIB} MB are needed."
        )
        self.hint = "Make room there, or choose another disk: AUTOSTACK_HOME=/path"


class PartFailed(Unavailable):
    def __init__(self, name: str, *, lines: Sequence[str], log: Path) -> None:
        said = "".join(f"\n  {line}" for line in lines) or " It said nothing."
        super().__init__(f"{name} does not come up. Its last lines:{said}")
        self.hint = f"The whole log is {log}."


class PartRefused(Unavailable):
    """A program said itself, in a sentence, why it cannot start."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class RunsOtherwise(Conflict):
    def __init__(self, changed: Mapping[str, tuple[str, str]]) -> None:
        said = ", ".join(f"{name} is {now}, not {asked}" for name, (now, asked) in changed.items())
        super().__init__(f"This platform runs already, with other addresses: {said}.")
        self.hint = "To change them: `autostack down --apps`, then `autostack up`."


class StartedByHand(Conflict):
    """systemd cannot adopt it, and a second one would find every port taken."""

    def __init__(self) -> None:
        super().__init__("This platform runs already, and systemd did not start it.")
        self.hint = "End it with `autostack down --apps`, then install or start the service."


class SupervisorSilent(Conflict):
    def __init__(self, pid: int) -> None:
        super().__init__(f"A supervisor of this platform runs (pid {pid}) but does not answer.")
        self.hint = "Run `autostack down --apps`, or wait if it is just starting or ending."


class NotReady(Unavailable):
    def __init__(self, *, seconds: float, said: str, lines: Sequence[str], folder: Path) -> None:
        last = "".join(f"\n  {line}" for line in lines)
        super().__init__(f"The platform is not ready after {seconds:.0f} s: {said}.{last}")
        self.hint = f"The whole logs are in {folder}."


class NotStopped(Unavailable):
    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(f"Still running after its deadline: {', '.join(names)}.")
        self.hint = "Run `autostack down --apps` again."


def other_port(port: int) -> int:
    """A neighbour that is likely to be free."""
    return port + 10 if port + 10 <= LAST_PORT else port - 10
