"""What visitors got, what a switch cost them, how it is watched, and who adopted what."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "traffic",
        sa.Column("environment_id", sa.Uuid(), nullable=False),
        sa.Column("width", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("codes", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("gateway", sa.BigInteger(), nullable=False),
        sa.Column("latency", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"],
            ["environments.id"],
            name=op.f("fk_traffic_environment_id_environments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["release_id"],
            ["releases.id"],
            name=op.f("fk_traffic_release_id_releases"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "environment_id", "width", "at", "release_id", name=op.f("pk_traffic")
        ),
    )
    op.add_column("instances", sa.Column("adopted_from", sa.Uuid(), nullable=True))
    op.add_column("deployments", sa.Column("evidence", postgresql.JSONB(), nullable=True))
    op.add_column(
        "environments",
        sa.Column("watch", postgresql.JSONB(), nullable=False, server_default=sa.text("'{}'")),
    )
    op.alter_column("environments", "watch", server_default=None)
