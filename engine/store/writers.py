"""How rows get in. Both ways are one transaction a batch, and leave alone what is there already, unless it is older."""

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import orjson
from sqlalchemy import JSON, Table, Text, bindparam, cast
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from engine.store.last_said import SaidRow
from engine.store.left_behind import CallbackRow, LeftRow, SurveyRow, VoicemailRow
from engine.store.rows import CallRow
from engine.store.tables import call_events, callbacks, calls, last_said, survey_answers, voicemails

EventValues = tuple[str, str, int, str, str]
"""The columns of `call_events` in their order; `data` is JSON text."""

EVENT_COLUMNS = tuple(call_events.c.keys())

Row = CallRow | LeftRow | SaidRow
# A row's fields are its table's columns.
TABLES: Mapping[type[Row], Table] = {
    CallRow: calls,
    VoicemailRow: voicemails,
    CallbackRow: callbacks,
    SurveyRow: survey_answers,
    SaidRow: last_said,
}
# Short: who waits is a batch that is tried again, and on close a thread that must end.
BUSY_S = 1.0


class Writer(Protocol):
    """Writes a batch in one transaction; raises what its driver raises."""

    async def write(self, events: Sequence[EventValues], rows: Sequence[Row]) -> None: ...

    async def close(self) -> None: ...


class SqliteWriter:
    """One connection on one thread, one hop a batch: a quarter of the CPU that the async driver takes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._connection: sqlite3.Connection | None = None
        self._insert_events = _sqlite_insert(call_events)
        self._insert = {kind: _sqlite_insert(table) for kind, table in TABLES.items()}

    async def write(self, events: Sequence[EventValues], rows: Sequence[Row]) -> None:
        """A write whose waiter is cancelled still runs to its end; the next one queues behind it."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, events, rows)

    async def close(self) -> None:
        """Free the connection and the thread, after the write that is under way."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)

    def _write(self, events: Sequence[EventValues], rows: Sequence[Row]) -> None:
        try:
            connection = self._connect()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(self._insert_events, events)
            for kind, same in _by_kind(rows):
                connection.executemany(self._insert[kind], [_values(row) for row in same])
            connection.execute("COMMIT")
        except BaseException:
            # Closing rolls back, and a fresh connection finds a file that was moved or mended.
            self._disconnect()
            raise

    def _connect(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(
                self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA synchronous=NORMAL")
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class PostgresqlWriter:
    """Borrows a connection of the engine's pool for each batch."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # The entry is JSON already: it goes in as it is, instead of through a parser and a serialiser.
        as_json = cast(bindparam("data", type_=Text), JSON)
        self._insert_events = _unless_there(postgresql.insert(call_events).values(data=as_json))
        self._insert = {kind: _unless_there(postgresql.insert(table)) for kind, table in TABLES.items()}

    async def write(self, events: Sequence[EventValues], rows: Sequence[Row]) -> None:
        """One transaction; cancelled, it is rolled back."""
        async with self._engine.begin() as connection:
            if events:
                entries = [dict(zip(EVENT_COLUMNS, values, strict=True)) for values in events]
                await connection.execute(self._insert_events, entries)
            for kind, same in _by_kind(rows):
                columns = TABLES[kind].c.keys()
                await connection.execute(
                    self._insert[kind], [{column: getattr(row, column) for column in columns} for row in same]
                )

    async def close(self) -> None:
        """Nothing to free: the pool is the engine's."""


Statement = TypeVar("Statement", postgresql.Insert, sqlite.Insert)


def _unless_there(insert: Statement) -> Statement:
    """Of what was last said, the newer one stays: a batch may be written late, by whoever took it over."""
    if insert.table is not last_said:
        return insert.on_conflict_do_nothing()
    new = insert.excluded
    return insert.on_conflict_do_update(
        index_elements=list(last_said.primary_key.columns),
        set_={"said": new.said, "at_ms": new.at_ms},
        where=new.at_ms >= last_said.c.at_ms,
    )


def _sqlite_insert(table: Table) -> str:
    statement = _unless_there(sqlite.insert(table))
    return str(statement.compile(dialect=sqlite.dialect(paramstyle="qmark")))


def _by_kind(rows: Sequence[Row]) -> Iterator[tuple[type[Row], list[Row]]]:
    for kind in TABLES:
        if same := [row for row in rows if type(row) is kind]:
            yield kind, same


def _values(row: Row) -> tuple[Any, ...]:
    columns = TABLES[type(row)].c.keys()
    values = [getattr(row, column) for column in columns]
    return tuple(orjson.dumps(value).decode() if isinstance(value, tuple | dict) else value for value in values)
