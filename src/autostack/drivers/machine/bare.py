"""A command without its sandbox, for machines that offer none and owners who said so.

What the sandbox would show at a path of its own lies where it lies: names of such paths in the
command and in variables are exchanged. Users, caps and networks of their own stay where there is
root; the file system and all processes of the host are open to the code. Pure.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from autostack.drivers.machine import sandbox
from autostack.drivers.machine.sandbox import Machine, Sandbox, Way

CAUTION = (
    "NOT ISOLATED: this machine offers no sandbox and AUTOSTACK_UNSAFE_NO_SANDBOX is set. Builds "
    "and apps can read and change what their user can, the platform's other apps included."
)
LAUNCHER = Path(__file__).with_name("bare_launch.py")


def describe(box: Sandbox, command: Sequence[str], way: Way, *, machine: Machine) -> dict[str, Any]:
    """As `sandbox.describe` does, for `launcher`."""
    room = machine.home.instances / str(box.id)
    exchanged = list(_exchanged(box, room))
    told = sandbox.common(box, way, machine=machine)
    env = {**sandbox.environment(box), "TMPDIR": box.env.get("TMPDIR", str(room / "tmp"))}
    return {
        **told,
        "room": str(room),
        "copies": [
            [str(bind.source), str(_copy(room, number))]
            for number, bind in enumerate(box.binds)
            if bind.scratch
        ],
        "workdir": exchange(box.workdir, exchanged),
        "env": {name: exchange(value, exchanged) for name, value in env.items()},
        "command": [exchange(word, exchanged) for word in command],
        "ends_with_parent": way.ends_with_parent,
    }


def launcher() -> list[str]:
    """The start of an argv; the path of the description follows."""
    return [*sandbox.launcher()[:-1], str(LAUNCHER)]


def exchange(text: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Paths of the sandbox for real ones, also in lists like PATH."""
    return ":".join(_exchange(part, pairs) for part in text.split(":"))


def _exchange(part: str, pairs: Sequence[tuple[str, str]]) -> str:
    for inside, outside in pairs:
        if part == inside or part.startswith(f"{inside}/"):
            return outside + part.removeprefix(inside)
    return part


def _exchanged(box: Sandbox, room: Path) -> Iterator[tuple[str, str]]:
    """The longest first, so that what lies in another has its own say."""
    found = {
        bind.target: str(_copy(room, number) if bind.scratch else bind.source)
        for number, bind in enumerate(box.binds)
    }
    for bind in box.binds:
        above = str(Path(bind.target).parent)
        if above != "/" and bind.source.name == Path(bind.target).name:
            # A directory of single programs, as it stands in PATH.
            found.setdefault(above, str(bind.source.parent))
    yield from sorted(found.items(), key=lambda pair: -len(pair[0]))


def _copy(room: Path, number: int) -> Path:
    return room / f"copy{number}"
