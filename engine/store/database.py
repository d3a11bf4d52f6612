"""The database: rows in, by the batch; calls and their events out."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Delete, Row, Select, Table, Text, Update, literal, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from engine.store.connect import connect
from engine.store.migrate import HEAD, revision_of, upgrade
from engine.store.rows import CallRow, EventRow
from engine.store.tables import call_events, calls
from engine.store.url import BadDatabase, async_url
from engine.store.writers import EventValues, PostgresqlWriter, SqliteWriter, Writer
from engine.store.writers import Row as LedgerRow

TRANSACTION_S = 15.0
_AFTER_EVERY_ID = "\U0010ffff"


class DatabaseDown(Exception):  # noqa: N818 - the state of the database
    """The database refused, or did not answer in time. Nothing of the transaction was kept."""


class AmbiguousId(Exception):  # noqa: N818 - a question to the asker, not a fault
    """A beginning that several ids share."""


class Database:
    """Owns the connections to one database; `open` migrates it, `close` frees them."""

    def __init__(self, url: str) -> None:
        """Raises BadDatabase when the URL cannot be one of ours."""
        self._url = async_url(url)
        self._shown = self._url.render_as_string(hide_password=True)
        self._engine: AsyncEngine = connect(self._url)
        self._writer: Writer
        self._faults: tuple[type[Exception], ...] = (SQLAlchemyError, OSError, TimeoutError)
        if self._url.get_backend_name() == "sqlite":
            self._writer = SqliteWriter(str(self._url.database))
            self._faults += (sqlite3.Error,)
        else:
            import asyncpg

            self._writer = PostgresqlWriter(self._engine)
            # SQLAlchemy wraps what a statement raises, not what connecting raises.
            self._faults += (asyncpg.PostgresError, asyncpg.InterfaceError)

    async def open(self) -> None:
        """Migrate where needed; raises BadDatabase, one sentence with its remedy, when it cannot be used."""
        try:
            async with asyncio.timeout(TRANSACTION_S), self._engine.connect() as connection:
                revision = await connection.run_sync(revision_of)
            if revision is None or revision < HEAD:
                await upgrade(self._url)
        except self._faults as error:
            await self._engine.dispose()
            raise BadDatabase(self._why_unusable(error)) from error
        if revision is not None and revision > HEAD:
            await self._engine.dispose()
            raise BadDatabase(
                f"The database {self._shown} belongs to a newer Hotline (revision {revision}, this one knows "
                f"{HEAD}): start that version, or restore the backup made before the update."
            )

    async def close(self) -> None:
        """Free the connections."""
        await self._writer.close()
        await self._engine.dispose()

    async def record(self, events: Sequence[EventValues], rows: Sequence[LedgerRow]) -> None:
        """Write events and the rows that they make in one transaction. Raises DatabaseDown.

        Rows already there stay as they are: recording twice is recording once.
        """
        async with self._answering():
            await self._writer.write(events, rows)

    async def recent_calls(self, limit: int) -> list[CallRow]:
        """The calls that arrived last, newest first. Raises DatabaseDown."""
        found = await self.rows(select(calls).order_by(calls.c.arrived_ms.desc()).limit(limit))
        return [_call(row) for row in found]

    async def call(self, id_or_prefix: str) -> CallRow | None:
        """The call of this id, or the only one whose id begins so. Raises AmbiguousId, DatabaseDown."""
        row = await self.by_id(calls, id_or_prefix)
        return None if row is None else _call(row)

    async def events(self, *call_ids: str) -> list[EventRow]:
        """The events of a call, or of several, in the order of the journal. Raises DatabaseDown."""
        columns = call_events.c
        found = await self.rows(select(call_events).where(columns.call_id.in_(call_ids)))
        rows = [EventRow(row.id, row.call_id, row.at_ms, row.type, row.data) for row in found]
        return sorted(rows, key=_journal_order)

    async def ids(self, beginning: str) -> list[str]:
        """At most two ids that begin so, of calls and of items that are none. Raises DatabaseDown."""
        column = call_events.c.call_id
        first, last = (literal(edge, Text) for edge in (beginning, beginning + _AFTER_EVERY_ID))
        found = await self.rows(select(column).where(column.between(first, last)).distinct().order_by(column).limit(2))
        return [row.call_id for row in found]

    async def by_id(self, table: Table, id_or_prefix: str) -> Row[Any] | None:
        """The row of this id, or the only one whose id begins so. Raises AmbiguousId, DatabaseDown."""
        first, last = (literal(edge, Text) for edge in (id_or_prefix, id_or_prefix + _AFTER_EVERY_ID))
        is_it = table.c.id.between(first, last)
        found = await self.rows(select(table).where(is_it).order_by(table.c.id).limit(2))
        if len(found) == 2 and found[0].id != id_or_prefix:
            raise AmbiguousId(
                f"Several {table.name} begin with {id_or_prefix!r}, such as {found[0].id} and {found[1].id}: "
                "type more of it."
            )
        return found[0] if found else None

    async def rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        """What a query finds. Raises DatabaseDown."""
        async with self._answering(), self._engine.connect() as connection:
            rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
            return rows

    async def change(self, statement: Update | Delete) -> int:
        """One change in one transaction; gives how many rows it changed. Raises DatabaseDown."""
        async with self._answering(), self._engine.begin() as connection:
            return (await connection.execute(statement)).rowcount

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Statements that are kept together or not at all. Raises DatabaseDown."""
        async with self._answering(), self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(TRANSACTION_S):
                yield
        except self._faults as error:
            raise DatabaseDown(_first_line(error) or "no answer in time") from error

    def _why_unusable(self, error: Exception) -> str:
        detail = _first_line(error) or "no answer in time"
        if self._url.get_backend_name() == "sqlite":
            return (
                f"The database file {self._url.database} cannot be opened ({detail}): check that its folder "
                "exists and is writable, that the disk is not full, and that the file is an SQLite database."
            )
        return (
            f"The database {self._shown} cannot be reached ({detail}): check that PostgreSQL runs there, "
            "that the database and the user exist, and that the password is right."
        )


def _call(row: Row[Any]) -> CallRow:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    return CallRow(**values | {"flow_path": tuple(values["flow_path"])})


def _journal_order(row: EventRow) -> tuple[int, int]:
    # Stream ids are two numbers: as text, …-10 would come before …-9.
    milliseconds, _, sequence = row.id.partition("-")
    return int(milliseconds), int(sequence or 0)


def _first_line(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    return (str(cause).strip().splitlines() or [""])[0].rstrip(".")
