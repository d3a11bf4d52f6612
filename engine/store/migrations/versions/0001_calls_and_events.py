"""Calls and their events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    id_type = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "calls",
        sa.Column("id", id_type, primary_key=True),
        sa.Column("dialled", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("presentation", sa.Text, nullable=False),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("customer_name", sa.Text, nullable=False),
        sa.Column("tier", sa.Text, nullable=False),
        sa.Column("flow_path", sa.JSON, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("arrived_ms", sa.BigInteger, nullable=False),
        sa.Column("answered_ms", sa.BigInteger),
        sa.Column("queued_ms", sa.BigInteger),
        sa.Column("connected_ms", sa.BigInteger),
        sa.Column("ended_ms", sa.BigInteger, nullable=False),
        sa.Column("wait_ms", sa.BigInteger, nullable=False),
        sa.Column("ring_ms", sa.BigInteger, nullable=False),
        sa.Column("talk_ms", sa.BigInteger, nullable=False),
        sa.Column("offers", sa.BigInteger, nullable=False),
        sa.Column("end_reason", sa.Text, nullable=False),
    )
    op.create_index("calls_arrived_ms", "calls", ["arrived_ms"])
    op.create_table(
        "call_events",
        sa.Column("id", id_type, primary_key=True),
        sa.Column("call_id", id_type, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_index("call_events_call_id", "call_events", ["call_id"])


def downgrade() -> None:
    op.drop_table("call_events")
    op.drop_table("calls")
