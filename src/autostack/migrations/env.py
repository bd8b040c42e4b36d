"""Alembic's environment: one transaction for the whole way, one process at a time."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from autostack.models import registry

# Any number will do as long as nothing else in this database uses it.
_LOCK = 7_305_805_141_950_210


def run() -> None:
    url = context.config.attributes["url"].replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=registry.metadata,
            compare_type=True,
            include_name=_ours,
        )
        with context.begin_transaction():
            # Before Alembic reads the version: whoever comes second finds nothing left to do.
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            context.run_migrations()


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    """The job queue's tables are its own affair."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


run()
