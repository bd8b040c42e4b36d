"""What a tree needs beyond the commit, and does not get: submodules and Git LFS."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

_READ = 256 * 1024


def warnings(tree: Path) -> Sequence[str]:
    """Read from the tree itself, so that a tree seen before says the same again."""
    return (*submodules(_text(tree / ".gitmodules")), *lfs(_text(tree / ".gitattributes")))


def submodules(gitmodules: str) -> Sequence[str]:
    paths = re.findall(r"^\s*path\s*=\s*(\S.*?)\s*$", gitmodules, re.MULTILINE)
    if not paths:
        return ()
    shown = ", ".join(repr(path[:60]) for path in paths[:5])
    return (f"Submodules are not fetched; these directories are empty: {shown}.",)


def lfs(gitattributes: str) -> Sequence[str]:
    if not re.search(r"\bfilter=lfs\b", gitattributes):
        return ()
    return ("Files kept in Git LFS are not fetched; the app sees their pointer files.",)


def _text(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        return file.read(_READ).decode("utf-8", "replace")
