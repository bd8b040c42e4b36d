"""Events say from where, and nobody changes them any more."""

import sqlalchemy as sa
from alembic import op

from autostack.models.event import APPEND_ONLY

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("events", sa.Column("address", sa.String(), nullable=True))
    op.add_column("events", sa.Column("token_id", sa.Uuid(), nullable=True))
    op.create_index("ix_events_at", "events", ["at", "id"])
    op.create_index("ix_events_actor", "events", ["actor_id", "at"])
    for statement in APPEND_ONLY:
        op.execute(statement)
