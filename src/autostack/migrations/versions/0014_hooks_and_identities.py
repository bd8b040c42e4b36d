"""Push hooks and what became of their deliveries; who people are elsewhere."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"

MOMENT = sa.DateTime(timezone=True)
PROVIDER = sa.Enum("github", "gitlab", "gitea", name="provider", native_enum=False, length=32)
OUTCOME = sa.Enum(
    "deployed", "paused", "ignored", "duplicate", name="outcome", native_enum=False, length=32
)


def upgrade() -> None:
    op.add_column("environments", sa.Column("pause", JSONB(), nullable=True))
    _hooks()
    _deliveries()
    _identities()
    _begun_sign_ins()


def _hooks() -> None:
    op.create_table(
        "hooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        _of("hooks", "project_id", "projects"),
        _of("hooks", "environment_id", "environments"),
        sa.Column("provider", PROVIDER, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hooks")),
        sa.UniqueConstraint("digest", name=op.f("uq_hooks_digest")),
    )
    op.create_index(op.f("ix_hooks_project_id"), "hooks", ["project_id"])
    op.create_index(op.f("ix_hooks_environment_id"), "hooks", ["environment_id"])


def _deliveries() -> None:
    deployment = sa.ForeignKey(
        "deployments.id", name=op.f("fk_deliveries_deployment_id_deployments"), ondelete="SET NULL"
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        _of("deliveries", "hook_id", "hooks"),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("body_digest", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("branch", sa.String(), nullable=True),
        sa.Column("commit_sha", sa.String(), nullable=True),
        sa.Column("outcome", OUTCOME, nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), deployment, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("hook_id", "key", name=op.f("uq_deliveries_hook_id_key")),
    )
    op.create_index("ix_deliveries_hook_at", "deliveries", ["hook_id", "at"])


def _identities() -> None:
    op.create_table(
        "identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        _of("identities", "user_id", "users"),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_identities_issuer_subject")),
    )
    op.create_index(op.f("ix_identities_user_id"), "identities", ["user_id"])


def _begun_sign_ins() -> None:
    op.create_table(
        "begun_sign_ins",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        _of("begun_sign_ins", "linking_id", "users", nullable=True),
        _of("begun_sign_ins", "proved_id", "users", nullable=True),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_begun_sign_ins")),
    )


def _of(table: str, column: str, other: str, *, nullable: bool = False) -> sa.Column[object]:
    key = sa.ForeignKey(
        f"{other}.id", name=op.f(f"fk_{table}_{column}_{other}"), ondelete="CASCADE"
    )
    return sa.Column(column, sa.Uuid(), key, nullable=nullable)
