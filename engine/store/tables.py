"""The tables, as SQLAlchemy Core. Their history is in migrations/versions."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, MetaData, Table, Text, text

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
    Column("outside", Text, nullable=False, server_default=""),
    Column("direction", Text, nullable=False, server_default="in"),
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

# What callers leave behind. Written by the ledger from the events of the calls; changed by whoever deals with it.
voicemails = Table(
    "voicemails",
    metadata,
    Column("id", Id, primary_key=True),
    Column("call_id", Id, nullable=False),
    Column("box", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("left_ms", BigInteger, nullable=False),
    Column("length_ms", BigInteger, nullable=False),
    Column("heard_ms", BigInteger),
    Column("heard_by", Text, nullable=False),
    Index("voicemails_left_ms", "left_ms"),
)

_OPEN = text("closed_ms IS NULL")

# A caller who asks twice for the same queue is called once: of one number only one request a queue may be open.
callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("call_id", Id, nullable=False),
    Column("queue", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    Column("placed_ms", BigInteger, nullable=False, server_default="0"),
    Column("head_start_ms", BigInteger, nullable=False, server_default="0"),
    Column("require", Text, nullable=False, server_default=""),
    Column("language", Text, nullable=False, server_default="zh-CN"),
    Column("state", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False, server_default="0"),
    Column("next_ms", BigInteger, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("closed_ms", BigInteger),
    Column("closed_by", Text, nullable=False),
    Index("callbacks_open", "queue", "number", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN),
    Index("callbacks_asked_ms", "asked_ms"),
)

survey_answers = Table(
    "survey_answers",
    metadata,
    Column("call_id", Id, primary_key=True),
    Column("question", Text, primary_key=True),
    Column("score", BigInteger, nullable=False),
    Column("answered_ms", BigInteger, nullable=False),
    Index("survey_answers_answered_ms", "answered_ms"),
)

# What was last said of each agent, by the newest event about it: for when Redis has lost it.
last_said = Table(
    "last_said",
    metadata,
    Column("agent", Id, primary_key=True),
    Column("about", Id, primary_key=True),
    Column("said", JSON, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
)

# Standing orders: what an operator has decided. Every change takes the next revision, which is how engines that hold
# them in memory know that there is something to read.
hours_orders = Table(
    "hours_orders",
    metadata,
    Column("calendar", Id, primary_key=True),
    Column("is_open", Boolean, nullable=False),
    Column("say", Text, nullable=False),
    Column("until_ms", BigInteger),
    Column("ordered_by", Text, nullable=False),
    Column("ordered_ms", BigInteger, nullable=False),
)

announcement_orders = Table(
    "announcement_orders",
    metadata,
    Column("name", Id, primary_key=True),
    Column("say", Text, nullable=False),
    Column("until_ms", BigInteger),
    Column("ordered_by", Text, nullable=False),
    Column("ordered_ms", BigInteger, nullable=False),
)

list_entries = Table(
    "list_entries",
    metadata,
    Column("list", Id, primary_key=True),
    Column("number", Id, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("until_ms", BigInteger),
    Column("ordered_by", Text, nullable=False),
    Column("ordered_ms", BigInteger, nullable=False),
)

orders_revision = Table(
    "orders_revision", metadata, Column("revision", BigInteger, primary_key=True, autoincrement=False)
)
