"""Releases that still import `pkg_resources`, which setuptools stopped bringing."""

import re
from collections.abc import Iterable

from autostack.engine.detect.poetry import normal

SETUPTOOLS = "setuptools<81"
"""What its deprecation warning says to pin."""
_FIXED_IN: dict[str, tuple[int, ...]] = {
    "apscheduler": (3, 10),
    "djangorestframework-simplejwt": (5, 3),
    "drf-yasg": (1, 21, 8),
    "face-recognition-models": (),
    "fs": (),
    "gunicorn": (21,),
    "pyramid": (),
    "razorpay": (1, 4, 2),
}
"""The first release that does without, found by reading their wheels; empty: none does."""
_REQUIRED = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?:[=~]=\s*(\d+(?:\.\d+)*))?")


def needs_setuptools(lines: Iterable[str]) -> bool:
    """Whether these requirements hold a release that fails without it, and do not name it.

    They once relied on every new virtual environment having it.
    """
    found = {normal(match[1]): match[2] or "" for line in lines if (match := _REQUIRED.match(line))}
    return "setuptools" not in found and any(
        _imports_it(name, version) for name, version in found.items()
    )


def _imports_it(name: str, version: str) -> bool:
    fixed = _FIXED_IN.get(name)
    if fixed is None:
        return False
    return not fixed or (bool(version) and tuple(map(int, version.split("."))) < fixed)
