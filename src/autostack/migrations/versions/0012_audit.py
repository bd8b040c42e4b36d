"""Events say from where, and nobody changes them any more."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

# As it was then; the model has what new databases of tests get.
APPEND_ONLY = (
    """create function events_are_history() returns trigger language plpgsql as $$
    begin raise exception 'events are never changed or removed'; end $$""",
    """create trigger events_are_history before update or delete or truncate on events
    for each statement execute function events_are_history()""",
)


def upgrade() -> None:
    op.add_column("events", sa.Column("address", sa.String(), nullable=True))
    op.add_column("events", sa.Column("token_id", sa.Uuid(), nullable=True))
    op.create_index("ix_events_at", "events", ["at", "id"])
    op.create_index("ix_events_actor", "events", ["actor_id", "at"])
    for statement in APPEND_ONLY:
        op.execute(statement)
