"""Which trees are taken, decided over the whole list before anything is written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from autostack.engine.errors import RepositoryTooLarge, TreeRefused
from autostack.engine.release import MIB

_MOST_HOPS = 40
_LONGEST_PATH = 4000
_LONGEST_NAME = 255


class Kind(StrEnum):
    FILE = "file"
    PROGRAM = "program"
    LINK = "link"
    FOLDER = "folder"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name in a tree. `path` as os.fsdecode gives it; `id` names its content at the source."""

    path: str
    kind: Kind
    size: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeLimits:
    size: int = 2048 * MIB
    entries: int = 200_000


TREE_LIMITS = TreeLimits()


def check_entries(entries: Sequence[Entry], limits: TreeLimits) -> None:
    """Names and sizes: nothing outside, nothing twice, nothing below a file or a link."""
    if sum(entry.size for entry in entries) > limits.size:
        raise RepositoryTooLarge(limits.size)
    if len(entries) > limits.entries:
        raise TreeRefused(entries[-1].path, f"the tree has more than {limits.entries} files")
    leaves: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        _check_path(entry.path)
        if entry.path in leaves:
            raise TreeRefused(entry.path, "it is there twice")
        (folders if entry.kind in {Kind.FOLDER, Kind.SUBMODULE} else leaves).add(entry.path)
        folders.update(_parents(entry.path))
    if both := leaves & folders:
        raise TreeRefused(min(both), "it is a file or a link, and also a folder")


def check_links(targets: Mapping[str, str]) -> None:
    """Every link stays inside, also by way of other links."""
    for path, target in targets.items():
        if target.startswith("/"):
            raise TreeRefused(path, "it links to an absolute path")
        if not target or "\0" in target or len(target) > _LONGEST_PATH:
            raise TreeRefused(path, "it is not a link this machine can make")
        _follow(path, targets)


def _check_path(path: str) -> None:
    parts = path.split("/")
    if not path or len(path.encode(errors="surrogateescape")) > _LONGEST_PATH or "\0" in path:
        raise TreeRefused(path[:100], "its name is empty or too long")
    if path.startswith("/") or any(part in {"", ".", ".."} for part in parts):
        raise TreeRefused(path, "it lies outside the repository")
    if any(part.lower() == ".git" for part in parts):
        raise TreeRefused(path, "it would be a Git directory inside the tree")
    if any(len(part.encode(errors="surrogateescape")) > _LONGEST_NAME for part in parts):
        raise TreeRefused(path[:100], "its name is too long")


def _parents(path: str) -> Iterable[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def _follow(start: str, targets: Mapping[str, str]) -> None:
    """Walk as the kernel would: a name that is a link is replaced by its target, so that
    `link/..` is the parent of where the link leads.
    """
    here: list[str] = []
    ahead = start.split("/")[::-1]
    hops = 0
    while ahead:
        part = ahead.pop()
        if part in {"", "."}:
            continue
        if part == "..":
            if not here:
                raise TreeRefused(start, "it links to a place outside the repository")
            here.pop()
            continue
        here.append(part)
        target = targets.get("/".join(here))
        if target is not None:
            hops += 1
            if hops > _MOST_HOPS:
                raise TreeRefused(start, "it links in a circle or through too many links")
            if target.startswith("/"):
                raise TreeRefused(start, "it links to a place outside the repository")
            here.pop()
            ahead += target.split("/")[::-1]
