"""A finished build on disk: `app/` and `artifact.json`, under its id."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from autostack.engine.release import Artifact

KIND = "directory"
FILE = "artifact.json"
APP = "app"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What a runtime must know to run `app/`: absolute paths to show at their own address,
    directories in front of PATH, and variables.
    """

    mounts: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    digest: str = ""
    size: int = 0
    peak_memory: int = 0


def write(directory: Path, sealed: Sealed) -> None:
    """On disk for good before the directory gets its name."""
    file = directory / FILE
    with file.open("w") as stream:
        json.dump(asdict(sealed), stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    file.chmod(0o644)


def read(directory: Path) -> Artifact | None:
    """None where there is no finished build."""
    try:
        document = json.loads((directory / FILE).read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return Artifact(
        id=directory.name,
        kind=KIND,
        location=str(directory),
        size=int(document.get("size", 0)),
        peak_memory=int(document.get("peak_memory", 0)),
    )
