"""A number of its own for each project, which the user its builds run as follows from."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("projects", sa.Column("build_seat", sa.BigInteger(), nullable=True))
    op.create_unique_constraint(op.f("uq_projects_build_seat"), "projects", ["build_seat"])
