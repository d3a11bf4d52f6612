"""Standing orders in the database: what an operator has decided, until it is withdrawn or its time is over."""

import time
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.store.database import Database
from engine.store.order_rows import AnnouncementOrder, HoursOrder, ListEntry, Order, Orders
from engine.store.rows import storable_text
from engine.store.tables import announcement_orders, hours_orders, list_entries, orders_revision

# Long enough to ask why somebody got through; they count for nothing any more.
KEEP_EXPIRED_MS = 30 * 86_400_000


TABLES: dict[type[Order], Table] = {
    HoursOrder: hours_orders,
    AnnouncementOrder: announcement_orders,
    ListEntry: list_entries,
}


class OrderBook:
    """Reads and changes them. Every method raises DatabaseDown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, known: int | None = None) -> Orders | None:
        """All orders; None when nothing has changed since the revision `known`."""
        async with self._database.transaction() as connection:
            # First: what changes while we read is then read again at the next look, never missed.
            revision = (await connection.execute(select(orders_revision.c.revision))).scalar_one()
            if revision == known:
                return None
            found = {kind: await _all(connection, kind) for kind in TABLES}
        return Orders(revision, found[HoursOrder], found[AnnouncementOrder], found[ListEntry])

    async def put(self, order: Order) -> None:
        """Gives an order; one of the same calendar, announcement or number is replaced."""
        table = TABLES[type(order)]
        values = {name: storable_text(v) if isinstance(v, str) else v for name, v in asdict(order).items()}
        async with self._database.transaction() as connection:
            await _turn(connection)
            await connection.execute(delete(table).where(_is(table, values)))
            await connection.execute(insert(table).values(values))
            expired = table.c.until_ms < time.time_ns() // 1_000_000 - KEEP_EXPIRED_MS
            await connection.execute(delete(table).where(expired))

    async def withdraw(self, kind: type[Order], **key: str) -> bool:
        """Takes an order back; False when there is none. `key` is its calendar, its name, or list and number."""
        table = TABLES[kind]
        async with self._database.transaction() as connection:
            await _turn(connection)
            return (await connection.execute(delete(table).where(_is(table, key)))).rowcount > 0


async def _turn(connection: AsyncConnection) -> None:
    """A new revision. Before anything else: its row is what writers wait for each other at."""
    await connection.execute(update(orders_revision).values(revision=orders_revision.c.revision + 1))


async def _all(connection: AsyncConnection, kind: type[Order]) -> list[Any]:
    rows = (await connection.execute(select(TABLES[kind]))).all()
    return [kind(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name for it


def _is(table: Table, values: dict[str, Any]) -> ColumnElement[bool]:
    return and_(*(column == values[column.name] for column in table.primary_key.columns))
