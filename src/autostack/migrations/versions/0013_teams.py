"""Invitations, service accounts, and environments that not everybody may touch."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "environments",
        sa.Column("protected", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("users", sa.Column("service_of", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_users_service_of_teams"),
        "users",
        "teams",
        ["service_of"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index(op.f("ix_users_service_of"), "users", ["service_of"])
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        _belongs("team_id", "teams"),
        _belongs("invited_by", "users"),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "owner", "admin", "developer", "viewer", name="role", native_enum=False, length=32
            ),
            nullable=False,
        ),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("mail_digest", sa.String(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("digest", name=op.f("uq_invitations_digest")),
        sa.UniqueConstraint("mail_digest", name=op.f("uq_invitations_mail_digest")),
        sa.UniqueConstraint("team_id", "email_key", name=op.f("uq_invitations_team_id_email_key")),
    )
    op.create_index(op.f("ix_invitations_invited_by"), "invitations", ["invited_by"])


def _belongs(column: str, table: str) -> sa.Column[object]:
    name = op.f(f"fk_invitations_{column}_{table}")
    key = sa.ForeignKey(f"{table}.id", name=name, ondelete="CASCADE")
    return sa.Column(column, sa.Uuid(), key, nullable=False)
