"""Example applications as real repositories."""

from pathlib import Path

from tests.gitserver import GitServer


def files(folder: Path) -> dict[str, str]:
    """Every file of an example but what the checks read."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "expect.json" and "__pycache__" not in path.parts
    }


def publish(git: GitServer, name: str, folder: Path, **changed: str) -> str:
    """Make a repository from an example; returns the address to clone from."""
    git.create(name, {**files(folder), **changed})
    return git.url(name)
