"""Bringing a database to this version of the code.

Alembic costs half a second and 29 MB, so it runs in a process of its own, and only when the
version differs; looking costs some milliseconds.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg

from autostack.core.errors import Unavailable

URL_VARIABLE = "AUTOSTACK_MIGRATE_URL"
VERSIONS = Path(__file__).parent / "versions"
_LIMIT = 600.0
_REVISION = re.compile(r"^(revision|down_revision)[^=]*= *(?:\"([^\"]+)\"|None)", re.MULTILINE)


class DatabaseIsNewer(Unavailable):
    def __init__(self, found: str) -> None:
        super().__init__(f"The database is newer than this AutoStack (its version is {found}).")
        self.hint = "Install the AutoStack that wrote it, or a later one; nothing was changed."


class DatabaseAway(Unavailable):
    def __init__(self, seconds: float, said: str) -> None:
        super().__init__(f"The database does not answer for {seconds:.0f} s: {said}")
        self.hint = "Look at its log; with AUTOSTACK_DATABASE_URL set, check that address."


class MigrationFailed(Unavailable):
    def __init__(self, said: str) -> None:
        super().__init__(f"The database could not be brought to this version: {said}")
        self.hint = "Nothing was changed: a migration is one transaction."


def wait(url: str, *, seconds: float) -> None:
    """Return once the database answers."""
    end = time.monotonic() + seconds
    while True:
        try:
            with psycopg.connect(url, connect_timeout=5):
                return
        except psycopg.OperationalError as error:
            if time.monotonic() > end:
                raise DatabaseAway(seconds, str(error).strip().splitlines()[-1]) from None
        time.sleep(0.05)


def upgrade(url: str) -> bool:
    """Whether anything had to be done."""
    found, known = version(url), revisions()
    if found == head(known):
        return False
    if found is not None and found not in known:
        raise DatabaseIsNewer(found)
    _apply(url)
    return True


def version(url: str) -> str | None:
    """The database's revision; None for an empty database."""
    with psycopg.connect(url) as connection:
        there = connection.execute("select to_regclass('alembic_version')").fetchone()
        if there is None or there[0] is None:
            return None
        row = connection.execute("select version_num from alembic_version").fetchone()
        return None if row is None else str(row[0])


def revisions(folder: Path = VERSIONS) -> dict[str, str | None]:
    """Each revision of this code with the one before it, read without importing anything."""
    found: dict[str, str | None] = {}
    for file in folder.glob("[0-9]*.py"):
        named = {name: value or None for name, value in _REVISION.findall(file.read_text())}
        found[str(named["revision"])] = named["down_revision"]
    return found


def head(known: Mapping[str, str | None]) -> str:
    (last,) = set(known) - set(known.values())
    return last


def _apply(url: str) -> None:
    # The address may hold a password, so it goes by the environment and not by argv.
    done = subprocess.run(
        [sys.executable, "-m", "autostack.migrations.apply"],
        env={**os.environ, URL_VARIABLE: url},
        capture_output=True,
        text=True,
        timeout=_LIMIT,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise MigrationFailed(said[-1] if said else f"exit code {done.returncode}")
