"""Callbacks that the engine makes itself: where each stands, and which calls came of them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_NEW = ("placed_ms", "head_start_ms", "require", "language", "attempts", "next_ms", "reason")


def upgrade() -> None:
    op.add_column("calls", sa.Column("direction", sa.Text, nullable=False, server_default="in"))
    op.drop_index("callbacks_open", "callbacks")
    for name in ("placed_ms", "head_start_ms", "attempts", "next_ms"):
        op.add_column("callbacks", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("callbacks", sa.Column("require", sa.Text, nullable=False, server_default=""))
    op.add_column("callbacks", sa.Column("language", sa.Text, nullable=False, server_default="zh-CN"))
    op.add_column("callbacks", sa.Column("reason", sa.Text, nullable=False, server_default=""))
    op.execute("UPDATE callbacks SET placed_ms = asked_ms")
    op.execute("UPDATE callbacks SET state = 'requested' WHERE state = 'open'")
    _index("closed_ms IS NULL")


def downgrade() -> None:
    op.drop_index("callbacks_open", "callbacks")
    op.execute("UPDATE callbacks SET state = 'open' WHERE closed_ms IS NULL")
    op.execute("UPDATE callbacks SET state = 'cancelled' WHERE state IN ('failed', 'merged')")
    for name in _NEW:
        op.drop_column("callbacks", name)
    _index("state = 'open'")
    op.drop_column("calls", "direction")


def _index(where: str) -> None:
    is_open = sa.text(where)
    columns = ["queue", "number"]
    op.create_index("callbacks_open", "callbacks", columns, unique=True, sqlite_where=is_open, postgresql_where=is_open)
