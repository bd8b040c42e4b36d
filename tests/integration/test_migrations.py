"""Migrations against a real PostgreSQL: they make what the models say, once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from procrastinate.schema import SchemaManager
from sqlalchemy import create_engine

from autostack.migrations import runner
from autostack.models import registry
from tests.postgres import Postgres

SQL = Path(runner.__file__).parent / "sql"


def ours(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or not str(name).startswith("procrastinate_")


@pytest.fixture
def empty(postgres: Postgres) -> Iterator[str]:
    name = postgres.create(template="template0")
    yield postgres.url(name)
    postgres.drop(name)


def test_models_and_migrations_say_the_same(empty: str) -> None:
    runner.upgrade(empty)

    engine = create_engine(empty.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_name": ours,
                "compare_type": True,
            },
        )
        differences = compare_metadata(context, registry.metadata)
    engine.dispose()
    assert differences == []


def test_a_second_time_there_is_nothing_to_do(empty: str) -> None:
    assert runner.upgrade(empty) is True
    assert runner.upgrade(empty) is False


def test_two_platforms_that_start_together_migrate_once(empty: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(runner.upgrade, [empty, empty]))

    assert runner.version(empty) == runner.head(runner.revisions())


def test_a_newer_database_is_refused_and_left_alone(empty: str) -> None:
    runner.upgrade(empty)
    with psycopg.connect(empty) as connection:
        connection.execute("update alembic_version set version_num = '9999'")

    with pytest.raises(runner.DatabaseIsNewer, match="9999"):
        runner.upgrade(empty)

    assert runner.version(empty) == "9999"


def test_a_migration_that_fails_leaves_nothing_behind(empty: str) -> None:
    with psycopg.connect(empty) as connection:
        connection.execute("create table deployments (id int)")

    with pytest.raises(runner.MigrationFailed):
        runner.upgrade(empty)

    assert runner.version(empty) is None


def test_waiting_for_a_database_that_never_comes_has_an_end(tmp_path: Path) -> None:
    with pytest.raises(runner.DatabaseAway):
        runner.wait(f"postgresql:///none?host={tmp_path}", seconds=0.1)


def test_the_job_queues_schema_is_the_one_of_the_installed_library() -> None:
    """When this fails the library has a new schema: add its migrations as a revision."""
    (kept,) = SQL.glob("procrastinate-*.sql")

    assert kept.read_text(encoding="utf-8") == SchemaManager.get_schema()
