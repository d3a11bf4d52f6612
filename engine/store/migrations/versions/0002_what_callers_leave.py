"""Voicemails, requests to be called back, answers to surveys."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    id_type = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "voicemails",
        sa.Column("id", id_type, primary_key=True),
        sa.Column("call_id", id_type, nullable=False),
        sa.Column("box", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("left_ms", sa.BigInteger, nullable=False),
        sa.Column("length_ms", sa.BigInteger, nullable=False),
        sa.Column("heard_ms", sa.BigInteger),
        sa.Column("heard_by", sa.Text, nullable=False),
    )
    op.create_index("voicemails_left_ms", "voicemails", ["left_ms"])
    op.create_table(
        "callbacks",
        sa.Column("id", id_type, primary_key=True),
        sa.Column("call_id", id_type, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("asked_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("closed_ms", sa.BigInteger),
        sa.Column("closed_by", sa.Text, nullable=False),
    )
    is_open = sa.text("state = 'open'")
    op.create_index(
        "callbacks_open",
        "callbacks",
        ["queue", "number"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_index("callbacks_asked_ms", "callbacks", ["asked_ms"])
    op.create_table(
        "survey_answers",
        sa.Column("call_id", id_type, primary_key=True),
        sa.Column("question", sa.Text, primary_key=True),
        sa.Column("score", sa.BigInteger, nullable=False),
        sa.Column("answered_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("survey_answers_answered_ms", "survey_answers", ["answered_ms"])


def downgrade() -> None:
    op.drop_table("survey_answers")
    op.drop_table("callbacks")
    op.drop_table("voicemails")
