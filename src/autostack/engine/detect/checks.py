"""How a new instance is asked whether it is ready, as autostack.yaml states it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from autostack.engine.detect.caps import between
from autostack.engine.detect.evidence import Said
from autostack.engine.errors import PlanFileInvalid
from autostack.engine.plan import Check, Decision

LIMITS = {"interval": (0.05, 60.0), "timeout": (0.1, 60.0), "grace": (1.0, 1800.0)}
"""From and to, in seconds."""
KEYS = frozenset({"path", "tcp", "command", *LIMITS})


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedCheck:
    """`path` asks by HTTP, `tcp` is content with a connection, `command` runs inside; times in
    seconds.
    """

    path: Said | None = None
    tcp: Said | None = None
    command: Said | None = None
    interval: float | None = None
    timeout: float | None = None
    grace: float | None = None

    @property
    def asks(self) -> Said | None:
        """How; None where nobody said."""
        return self.command or self.tcp or self.path

    def over(self, low: "StatedCheck") -> "StatedCheck":
        """With what `low` says of the rest."""
        asks = self if self.asks else low
        return StatedCheck(
            path=asks.path,
            tcp=asks.tcp,
            command=asks.command,
            interval=low.interval if self.interval is None else self.interval,
            timeout=low.timeout if self.timeout is None else self.timeout,
            grace=low.grace if self.grace is None else self.grace,
        )

    def settled(self, found: str) -> Check:
        """`found` is the path the code itself has."""
        path = self.path.value if self.path else found or "/"
        given = {"interval": self.interval, "timeout": self.timeout, "grace": self.grace}
        times = {name: value for name, value in given.items() if value is not None}
        return Check(
            path=None if self.tcp or self.command else "/" + path.removeprefix("/"),
            command=("sh", "-c", self.command.value) if self.command else (),
            **times,
        )

    def decisions(self) -> Iterator[Decision]:
        asks = self.asks
        if asks is not None:
            why = "" if asks.evidence else "set in the project's settings"
            yield Decision(subject="check", value=asks.value, evidence=asks.evidence, why=why)
        if self.grace is not None:
            yield Decision(subject="time to get ready", value=f"{self.grace:g} s")


def read(entry: object, said: Callable[[str], Said], *, file: str) -> StatedCheck:
    """A path, or a map; `said` gives a value the line it stands in."""
    if entry is None:
        return StatedCheck()
    if isinstance(entry, str | int | float):
        return StatedCheck(path=said(str(entry)))
    if not isinstance(entry, dict):
        raise PlanFileInvalid(file, 0, "`check` must be a path or a map")
    return _read(cast("Mapping[Any, Any]", entry), said, file=file)


def _read(entry: Mapping[Any, Any], said: Callable[[str], Said], *, file: str) -> StatedCheck:
    if unknown := sorted(str(key) for key in entry.keys() - KEYS):
        known = ", ".join(sorted(KEYS))
        raise PlanFileInvalid(file, 0, f"`check` has no {unknown[0][:40]!r}; known: {known}")
    path, tcp, command = entry.get("path"), entry.get("tcp"), entry.get("command")
    for name, text in (("path", path), ("command", command)):
        if text is not None and (not isinstance(text, str) or not text.strip()):
            raise PlanFileInvalid(file, 0, f"`check.{name}` must be a text")
    if tcp not in (None, True, False):
        raise PlanFileInvalid(file, 0, "`check.tcp` must be true or false")
    if sum(map(bool, (path, tcp, command))) > 1:
        raise PlanFileInvalid(file, 0, "`check` takes a `path`, `tcp: true` or a `command`")
    times = {
        name: between(f"check.{name}", entry.get(name), limits, file=file)
        for name, limits in LIMITS.items()
    }
    return StatedCheck(
        path=said(path) if path else None,
        tcp=said("a TCP connection") if tcp else None,
        command=said(command.strip()) if command else None,
        **times,
    )
