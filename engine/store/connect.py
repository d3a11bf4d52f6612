"""Async SQLAlchemy engines, set up for a ledger."""

from typing import Any

import orjson
from sqlalchemy import URL, Pool, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

CONNECT_S = 5.0
BUSY_S = 5.0
STATEMENT_S = 10.0


def connect(url: URL, *, poolclass: type[Pool] | None = None) -> AsyncEngine:
    """An engine for an URL of `async_url`; connects when first used."""
    options: dict[str, Any] = {
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
    }
    if poolclass is not None:
        options["poolclass"] = poolclass
    if url.get_backend_name() == "sqlite":
        engine = create_async_engine(url, connect_args={"timeout": BUSY_S}, **options)
        event.listen(engine.sync_engine, "connect", _set_up_sqlite)
        return engine
    waits = {"timeout": CONNECT_S, "command_timeout": STATEMENT_S}
    return create_async_engine(url, connect_args=waits, pool_pre_ping=True, **options)


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # With WAL (see migrate.py) NORMAL cannot corrupt the file, and the little that a power cut may take back
    # is still in Redis's own log.
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
