"""Holds a step open: nobody can close its row until the test lets go, so a kill lands inside it."""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.rows import DictRow, dict_row

from autostack.engine.release import Step
from tests.platform import Platform

LOCK = 0x4741_5445
PATIENCE = 60.0
"""Seconds the database may be away."""

# The trigger is the test's own; the platform knows nothing of it. It notes when it let go.
TRAP = """
create table if not exists held (name text primary key);
create or replace function wait_at_the_gate() returns trigger language plpgsql as $$
begin
  if old.outcome is null and new.outcome is not null
     and exists (select from held where held.name = new.name::text) then
    perform pg_advisory_xact_lock(1195463749);
    new.ended_at := clock_timestamp();
  end if;
  return new;
end $$;
create or replace trigger gate before update on steps
  for each row execute function wait_at_the_gate();
"""


class Rows:
    """The platform's database, asked directly; patient while it is away."""

    def __init__(self, platform: Platform) -> None:
        folder = quote(str(platform.home.run / "postgres"))
        self._url = f"postgresql://autostack@/autostack?host={folder}"
        self._open: psycopg.Connection[DictRow] | None = None

    def connect(self) -> psycopg.Connection[DictRow]:
        return psycopg.Connection[DictRow].connect(self._url, autocommit=True, row_factory=dict_row)

    def all(self, query: str, *values: object) -> list[dict[str, Any]]:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if self._open is None:
                    self._open = self.connect()
                return self._open.execute(query.encode(), values).fetchall()
            except psycopg.OperationalError:
                self._open = None
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def one(self, query: str, *values: object) -> dict[str, Any]:
        [row] = self.all(query, *values)
        return row

    def count(self, query: str, *values: object) -> int:
        return int(self.one(f"select count(*) as n from ({query}) as found", *values)["n"])  # noqa: S608 - our own queries

    def close(self) -> None:
        if self._open is not None:
            self._open.close()


class Gate:
    """Of one platform; `shut` names the step whose end has to wait."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        with rows.connect() as connection:
            connection.execute(TRAP)

    @contextmanager
    def shut(self, step: Step) -> Generator[Callable[[], None]]:
        """Yields what opens it again; it opens by itself when the database dies."""
        holder = self._rows.connect()
        holder.execute("select pg_advisory_lock(%s)", (LOCK,))
        holder.execute("insert into held values (%s) on conflict do nothing", (step,))
        try:
            yield holder.close
        finally:
            holder.close()
            self._rows.all("delete from held returning name")

    def step(self, deployment: str, step: Step) -> Mapping[str, Any] | None:
        query = "select * from steps where deployment_id = %s and name = %s"
        return next(iter(self._rows.all(query, deployment, step)), None)

    def is_open(self, deployment: str, step: Step) -> bool:
        row = self.step(deployment, step)
        return row is not None and row["outcome"] is None

    def cut_off(self) -> int:
        """End the sessions that wait, their transactions open; how many they were."""
        query = (
            "select pg_terminate_backend(pid) from pg_locks"
            " where locktype = 'advisory' and objid = %s and not granted"
        )
        return len(self._rows.all(query, LOCK))

    def is_waited_at(self) -> bool:
        query = "select from pg_locks where locktype = 'advisory' and objid = %s and not granted"
        return self._rows.count(query, LOCK) > 0
