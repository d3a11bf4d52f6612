"""What was last said of each agent, for when Redis has lost it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    id_type = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "last_said",
        sa.Column("agent", id_type, primary_key=True),
        sa.Column("about", id_type, primary_key=True),
        sa.Column("said", sa.JSON, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("last_said")
