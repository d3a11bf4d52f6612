"""The tables, as SQLAlchemy Core. Their history is in migrations/versions."""

from sqlalchemy import JSON, BigInteger, Column, Index, MetaData, Table, Text

metadata = MetaData()

# Ids are compared byte by byte, as SQLite does anyway: so a prefix of one is a range of the index.
Id = Text().with_variant(Text(collation="C"), "postgresql")

calls = Table(
    "calls",
    metadata,
    Column("id", Id, primary_key=True),
    Column("dialled", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("presentation", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("customer_name", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("flow_path", JSON, nullable=False),
    Column("queue", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("arrived_ms", BigInteger, nullable=False),
    Column("answered_ms", BigInteger),
    Column("queued_ms", BigInteger),
    Column("connected_ms", BigInteger),
    Column("ended_ms", BigInteger, nullable=False),
    Column("wait_ms", BigInteger, nullable=False),
    Column("ring_ms", BigInteger, nullable=False),
    Column("talk_ms", BigInteger, nullable=False),
    Column("offers", BigInteger, nullable=False),
    Column("end_reason", Text, nullable=False),
    Index("calls_arrived_ms", "arrived_ms"),
)

# `data` is the journal's entry, byte for byte. JSON and not JSONB: the latter refuses \u0000.
call_events = Table(
    "call_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("call_id", Id, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Index("call_events_call_id", "call_id"),
)
