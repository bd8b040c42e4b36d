"""The newest deployments, of an environment and of all, are found without reading the others."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_index(
        "ix_deployments_environment_created", "deployments", ["environment_id", "created_at"]
    )
    op.create_index("ix_deployments_created", "deployments", ["created_at", "id"])
