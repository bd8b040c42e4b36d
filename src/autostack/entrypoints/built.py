"""Where the built dashboard lies, and how a checkout builds it."""

import subprocess
import sys
from pathlib import Path

import autostack

_PACKAGE = Path(autostack.__path__[0])
_SCRIPT = "build.py"


def folder() -> Path:
    """In a wheel, inside the package; in a checkout, beside its source."""
    return checkout() / "built" if (checkout() / _SCRIPT).is_file() else _PACKAGE / "web/built"


def checkout() -> Path:
    """The dashboard's source, which only a checkout has."""
    return _PACKAGE.parents[1] / "dashboard"


def build() -> int | None:
    """Build it unless what is there is current; the exit code, or None where there is no source."""
    script = checkout() / _SCRIPT
    if not script.is_file():
        return None
    return subprocess.run([sys.executable, str(script)], check=False).returncode
