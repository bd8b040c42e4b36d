"""Old releases, pinned, that lean on what is newer today than they can bear."""

import re
from collections.abc import Iterable, Iterator, Mapping

from autostack.engine.detect.poetry import normal

_SETUPTOOLS = "setuptools<81"
"""What its deprecation warning says to pin; later ones no longer bring `pkg_resources`."""
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
"""The first release that does without `pkg_resources`, found by reading their wheels; empty: none
does.
"""
_WANTS_OLD: tuple[tuple[str, tuple[int, ...], Mapping[str, str]], ...] = (
    ("flask", (2,), {"jinja2": "<3.1", "itsdangerous": "<2.1", "werkzeug": "<2.1"}),
    ("flask", (2, 3), {"werkzeug": "<3"}),
    ("jinja2", (3,), {"markupsafe": "<2.1"}),
)
"""Releases before the second state no upper bound for packages that dropped what they import."""
_REQUIRED = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?:[=~]=\s*(\d+(?:\.\d+)*))?")


def companions(lines: Iterable[str]) -> tuple[str, ...]:
    """What has to be installed beside these requirements, which do not name it."""
    found = {normal(match[1]): match[2] or "" for line in lines if (match := _REQUIRED.match(line))}
    return (*_setuptools(found), *_held_back(found))


def _setuptools(found: Mapping[str, str]) -> tuple[str, ...]:
    """Every new virtual environment once had it."""
    wanted = any(_imports_it(name, version) for name, version in found.items())
    return (_SETUPTOOLS,) if wanted and "setuptools" not in found else ()


def _imports_it(name: str, version: str) -> bool:
    fixed = _FIXED_IN.get(name)
    if fixed is None:
        return False
    return not fixed or _before(version, fixed)


def _held_back(found: Mapping[str, str]) -> Iterator[str]:
    bounds: dict[str, str] = {}
    for name, limit, wanted in _WANTS_OLD:
        if _before(found.get(name, ""), limit):
            bounds = {**wanted, **bounds}
    yield from (f"{name}{bound}" for name, bound in bounds.items() if name not in found)


def _before(version: str, limit: tuple[int, ...]) -> bool:
    return bool(version) and tuple(map(int, version.split("."))) < limit
