"""Standing orders: forced hours, announcements that are on, numbers on lists."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    id_type = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "hours_orders",
        sa.Column("calendar", id_type, primary_key=True),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("say", sa.Text, nullable=False),
        sa.Column("until_ms", sa.BigInteger),
        sa.Column("ordered_by", sa.Text, nullable=False),
        sa.Column("ordered_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "announcement_orders",
        sa.Column("name", id_type, primary_key=True),
        sa.Column("say", sa.Text, nullable=False),
        sa.Column("until_ms", sa.BigInteger),
        sa.Column("ordered_by", sa.Text, nullable=False),
        sa.Column("ordered_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "list_entries",
        sa.Column("list", id_type, primary_key=True),
        sa.Column("number", id_type, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("until_ms", sa.BigInteger),
        sa.Column("ordered_by", sa.Text, nullable=False),
        sa.Column("ordered_ms", sa.BigInteger, nullable=False),
    )
    revision_row = op.create_table(
        "orders_revision",
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    op.bulk_insert(revision_row, [{"revision": 0}])


def downgrade() -> None:
    op.drop_table("orders_revision")
    op.drop_table("list_entries")
    op.drop_table("announcement_orders")
    op.drop_table("hours_orders")
