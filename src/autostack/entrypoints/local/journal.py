"""The logs of the platform's own programs, kept small."""

import os
import shutil
from pathlib import Path

from autostack.core.home import Home

LARGEST = 5 << 20


def keep_small(home: Home, *, largest: int = LARGEST) -> None:
    """Copy a log that has grown aside and empty it; its writers append, so they go on."""
    for file in (home.logs / "platform").glob("*.log"):
        if file.stat().st_size > largest and file.name != "supervisor.log":
            shutil.copyfile(file, older(file))
            os.truncate(file, 0)


def older(file: Path) -> Path:
    return file.with_name(f"{file.name}.1")


def last_lines(file: Path, count: int = 8) -> list[str]:
    """Of a program's log; empty when it has said nothing."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - 8192))
            text = log.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]
