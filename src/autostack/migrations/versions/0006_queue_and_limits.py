"""Where a deployment stands in the line for a build, and what an environment's processes may use."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    moment, document = sa.DateTime(timezone=True), postgresql.JSONB(astext_type=sa.Text())
    op.add_column("deployments", sa.Column("queue", document, nullable=True))
    op.add_column("deployments", sa.Column("admitted_at", moment, nullable=True))
    op.add_column("deployments", sa.Column("built_at", moment, nullable=True))
    op.create_index(
        "ix_deployments_unfinished",
        "deployments",
        ["created_at"],
        postgresql_where=sa.text("status in ('pending', 'building', 'deploying')"),
    )
    op.add_column(
        "environments", sa.Column("limits", document, nullable=False, server_default="{}")
    )
