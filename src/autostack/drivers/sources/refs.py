"""What a remote offers, and what a commit says about itself. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

HEADS = "refs/heads/"
TAGS = "refs/tags/"
LOG_FORMAT = "%H%x00%an%x00%cI%x00%B"
_MESSAGE_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Refs:
    """`heads` and `tags` map names to ids; `default` is the branch HEAD stands on."""

    default: str | None = None
    heads: Mapping[str, str] = field(default_factory=dict[str, str])
    tags: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def empty(self) -> bool:
        return not self.heads and not self.tags

    @property
    def known(self) -> tuple[str, ...]:
        """Branch names, the likeliest first."""
        first = [self.default] if self.default in self.heads else []
        return (*(name for name in first if name), *sorted(set(self.heads) - set(first)))

    def named(self, ref: str) -> str | None:
        """The full name of a branch or tag; a branch wins."""
        if ref in self.heads:
            return HEADS + ref
        return TAGS + ref if ref in self.tags else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    sha: str
    author: str
    committed_at: datetime
    message: str


def parse_refs(out: bytes) -> Refs:
    """`git ls-remote --symref`."""
    default: str | None = None
    head: str | None = None
    heads: dict[str, str] = {}
    tags: dict[str, str] = {}
    for line in out.decode("utf-8", "replace").splitlines():
        value, _, name = line.partition("\t")
        if name == "HEAD" and value.startswith("ref: "):
            default = value.removeprefix("ref: ").removeprefix(HEADS)
        elif name == "HEAD":
            head = value
        elif name.startswith(HEADS):
            heads[name.removeprefix(HEADS)] = value
        elif name.startswith(TAGS) and not name.endswith("^{}"):
            tags[name.removeprefix(TAGS)] = value
    if default is None and head is not None:
        default = _standing_on(head, heads)
    return Refs(default=default, heads=heads, tags=tags)


def parse_commit(out: bytes) -> Commit:
    """`git log -1` in LOG_FORMAT. The message is a stranger's text, cut but not cleaned."""
    sha, author, date, message = out.decode("utf-8", "replace").split("\0", 3)
    return Commit(
        sha=sha,
        author=author[:200],
        committed_at=datetime.fromisoformat(date),
        message=message.strip()[:_MESSAGE_KEPT],
    )


def printable(text: str, limit: int = 100) -> str:
    """The first line, without what a terminal would obey."""
    line = text.partition("\n")[0]
    shown = "".join(char for char in line if char.isprintable())
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def _standing_on(head: str, heads: Mapping[str, str]) -> str | None:
    """A remote that does not say which branch HEAD is: the usual names first."""
    same = [name for name, value in heads.items() if value == head]
    return next((name for name in ("main", "master", *sorted(same)) if name in same), None)
