"""Whom a call reached outside of the ACD: an outside number, or a branch."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("calls", sa.Column("outside", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("calls", "outside")
