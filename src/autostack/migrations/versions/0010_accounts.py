"""What mail links prove, second factors, and accounts on their way out."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("users", sa.Column("removed_at", MOMENT, nullable=True))
    op.create_table(
        "password_resets",
        sa.Column("digest", sa.String(), nullable=False),
        _owner("password_resets"),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_password_resets")),
    )
    op.create_index(op.f("ix_password_resets_user_id"), "password_resets", ["user_id"])
    op.create_table(
        "email_changes",
        _owner("email_changes"),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_email_changes")),
        sa.UniqueConstraint("digest", name=op.f("uq_email_changes_digest")),
    )
    op.create_table(
        "second_factors",
        _owner("second_factors"),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("digest", sa.String(), nullable=False),
        _owner("recovery_codes"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_user_id"), "recovery_codes", ["user_id"])


def _owner(table: str) -> sa.Column[object]:
    name = op.f(f"fk_{table}_user_id_users")
    key = sa.ForeignKey("users.id", name=name, ondelete="CASCADE")
    return sa.Column("user_id", sa.Uuid(), key, nullable=False)
