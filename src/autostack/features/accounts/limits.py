"""The settings that bound what people may do here, told in the words of the settings. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from autostack.core.settings import Settings

NAMES = (
    "registration",
    "login_rate",
    "register_rate",
    "reset_rate",
    "api_rate",
    "webhook_rate",
    "source_limit_mb",
    "build_slots",
    "build_memory_mb",
    "build_wait_seconds",
    "build_disk_rate_mb",
    "memory_reserve_mb",
    "releases_kept",
    "disk_floor_mb",
    "watch_seconds",
)
"""Written out: what is new in the settings is shown to nobody by itself."""
_SENTENCE = re.compile(r"(?<=\.)\s")

Unit = Literal["MB", "seconds"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """`value` None is what the settings say happens by default."""

    setting: str
    about: str
    value: int | float | str | None
    unit: Unit | None
    is_default: bool


def in_force(settings: Settings) -> Sequence[Limit]:
    return [_limit(settings, name) for name in NAMES]


def _limit(settings: Settings, name: str) -> Limit:
    field = Settings.model_fields[name]
    value = getattr(settings, name)
    return Limit(
        setting=f"{Settings.model_config.get('env_prefix', '')}{name}".upper(),
        about=_SENTENCE.split(field.description or "", maxsplit=1)[0],
        value=value,
        unit=_unit(name),
        is_default=value == field.default,
    )


def _unit(name: str) -> Unit | None:
    if name.endswith("_mb"):
        return "MB"
    return "seconds" if name.endswith("_seconds") else None
