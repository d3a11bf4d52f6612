"""Keeps this engine's standing orders as the database has them.

Whoever changes an order says so on a Redis stream of one entry; every engine waits for the next one, and reads the
database again when it comes, when none has come for half a minute, and when Redis is back. A stream and not pub/sub:
what was said while an engine was not listening is still there when it listens again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from redis.exceptions import ResponseError

from engine.journal.stream import StreamDown, StreamReader
from engine.orders.standing import StandingOrders
from engine.redis_line import RedisLine
from engine.store.database import Database, DatabaseDown
from engine.store.order_rows import Order
from engine.store.orders import OrderBook

log = structlog.get_logger()

READ_AGAIN_S = 30.0
RETRY_S = 1.0


class OrderKeeper:
    """Owns one task and one Redis connection; database and line are lent to it.

    `standing` is what the calls look at. While the database is away they go on with what it said last; `fault`
    then has why, for whoever asks how the hotline is. `on_hours` is told that orders about opening hours have changed;
    it must not block.
    """

    def __init__(
        self,
        database: Database,
        line: RedisLine,
        *,
        domain: str = "default",
        on_hours: Callable[[], None] = lambda: None,
    ) -> None:
        self.standing = StandingOrders()
        self._on_hours = on_hours
        self.fault = ""
        self._book = OrderBook(database)
        self._line = line
        self._news = f"hotline:{{{domain}}}:orders"
        self._reader = StreamReader(line.url, domain=domain)
        self._reading = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Reads what there is and goes on doing so. A database that does not answer is no reason not to start."""
        await self._look()
        self._task = asyncio.create_task(self._listen(), name="orders")

    async def close(self) -> None:
        """Stops listening."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        await self._reader.close()

    async def put(self, order: Order) -> None:
        """Gives an order: kept, known here, and told to the other engines. Raises DatabaseDown."""
        await self._book.put(order)
        log.info("orders.given", order=repr(order))
        await self._tell()

    async def withdraw(self, kind: type[Order], *, by: str, **key: str) -> bool:
        """Takes an order back; False when there was none. Raises DatabaseDown."""
        if not await self._book.withdraw(kind, **key):
            return False
        log.info("orders.withdrawn", kind=kind.__name__, by=by, **key)
        await self._tell()
        return True

    async def _tell(self) -> None:
        self._line.post("XADD", self._news, "MAXLEN", "1", "*", "changed", "1")
        self._line.flush()
        await self._look()

    async def _read(self) -> None:
        async with self._reading:
            orders = await self._book.read(self.standing.all.revision)
            if orders is None:
                return
            before = list(self.standing.all.hours)
            self.standing.replace(orders)
            if list(orders.hours) != before:
                self._on_hours()

    async def _look(self) -> None:
        try:
            await self._read()
        except DatabaseDown as error:
            if not self.fault:
                log.warning("orders.database_away", why=str(error), effect="the orders in memory go on to count")
            self.fault = str(error)
        else:
            if self.fault:
                log.info("orders.database_back")
            self.fault = ""

    async def _listen(self) -> None:
        seen = "0-0"
        while True:
            try:
                seen = await self._news_after(seen)
                await self._look()
            except Exception:  # nothing else starts this task again
                log.exception("orders.listening_failed")
                await asyncio.sleep(RETRY_S)

    async def _news_after(self, seen: str) -> str:
        wait_ms = round(READ_AGAIN_S * 1000)
        try:
            reply = await self._reader.command("XREAD", "BLOCK", wait_ms, "STREAMS", self._news, seen, wait_ms=wait_ms)
        except (StreamDown, ResponseError):  # the line to Redis says so in the log
            await asyncio.sleep(RETRY_S)
            return seen
        return str(reply[0][1][-1][0].decode()) if reply else seen
