"""The settings of the `up` that started what runs, for every program started after it: the
supervisor's own environment stays that of its own start.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from autostack.core.home import Home

PREFIX = "AUTOSTACK_"
# Who watches the supervisor is settled when it starts.
SUPERVISORS = frozenset({"AUTOSTACK_SERVICE"})


def give(home: Home, environ: Mapping[str, str]) -> None:
    """Whole or not at all, and readable for the platform's own user only: secrets are among it."""
    draft = _file(home).with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(_settings(environ), file)
    draft.replace(_file(home))


def differ(home: Home, environ: Mapping[str, str]) -> Sequence[str]:
    """Names of settings that are not those which were given."""
    given, asked = _given(home), _settings(environ)
    return sorted(name for name in {*given, *asked} if given.get(name) != asked.get(name))


def take(home: Home, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program that starts now."""
    rest = {name: value for name, value in environ.items() if name not in _settings(environ)}
    return {**rest, **_given(home)} if _file(home).exists() else dict(environ)


def _settings(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name not in SUPERVISORS
    }


def _given(home: Home) -> dict[str, str]:
    try:
        given: dict[str, str] = json.loads(_file(home).read_text())
    except FileNotFoundError:
        return {}
    return given


def _file(home: Home) -> Path:
    return home.run / "settings.json"
