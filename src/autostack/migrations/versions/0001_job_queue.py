"""The job queue: procrastinate's own schema as of 3.10, copied so that it never changes here."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None

SCHEMA = Path(__file__).parent.parent / "sql" / "procrastinate-3.10.sql"


def upgrade() -> None:
    # Many statements at once need the simple protocol: the driver itself, without parameters.
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(SCHEMA.read_text(encoding="utf-8"))
