"""An office whose customers are to be called back: what a test of it has around a callback.

A real Redis and a real database; how somebody is called is proved on real phones (tests/e2e/test_callback.py), here a
try comes to what it is told.
"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from engine.acd import Notice
from engine.call.callbacks import Callbacks
from engine.call.calling_back import ALL_LINES_TAKEN, Failed
from engine.callbacks import Callback, is_callback
from engine.config.queues import KINDS, CallingBack, Queue
from engine.hours import Calendar
from engine.hours.written import CalendarSettings
from engine.orders import StandingOrders
from engine.redis_line import RedisLine
from engine.store.database import Database
from engine.store.left_behind import CallbackRow
from tests.acd.desk import Desk
from tests.acd.lines import until

ZHANG, LI = "+8613800138000", "+8613912345678"
GAP_MS, DELAY_MS = 600_000, 10_000
OFFICE = Calendar("office", CalendarSettings.model_validate({"open": {"daily": "9:00-18:00"}}))
OPENS_IN_MS = 10_000_000  # from START_MS, 6:13:20 in Shanghai


class Try:
    """What the desk has foreseen for it."""

    def __init__(self, board: Any, callback: Callback, offer: Any, _: Queue) -> None:
        self.board, self.callback, self.offer = board, callback, offer
        self.call = SimpleNamespace(notices=SimpleNamespace(take=lambda: None, put=board.told.append))

    async def run(self) -> Failed | None:
        board = self.board
        board.tries.append(self.callback.number)
        if board.outcome is not None and board.outcome.reason != ALL_LINES_TAKEN:
            board.callbacks.dialling(self.callback.item, self.offer.agent, SimpleNamespace(trunk="carrier"))
        if board.answers is not None:
            await board.answers.wait()
        return cast("Failed | None", board.outcome)


class Calls(dict[str, Any]):
    """None of which are callbacks'."""


class Room(Desk):
    """One engine's callbacks, and everything around them that this is about."""

    def __init__(self, line: RedisLine, database: Database, engine: str = "one", **callbacks: Any) -> None:
        super().__init__(line, engine)
        self.database, self.calls_there = database, Calls()
        serves = Queue(require="any", hours="office", callbacks=CallingBack(**callbacks))
        self.queues = {"sales": serves, "service": serves}
        self.tries: list[str] = []
        self.told: list[Notice] = []
        self.outcome: Failed | None = Failed("busy")
        self.answers: asyncio.Event | None = None
        site: Any = SimpleNamespace(queues=self.queues, agents={}, kinds=KINDS, calendars={"office": OFFICE})
        self.journalled: list[Any] = []
        self.site = site
        self.services = SimpleNamespace(orders=StandingOrders())
        self.journal_ = SimpleNamespace(append=self.journalled.append)
        self.callbacks = Callbacks(
            cast(Any, _Board(self)), cast(Any, self.calls_there), database, clock=lambda: self.now_ms
        )

    def _noticed(self, notice: Notice) -> None:
        super()._noticed(notice)
        if is_callback(notice.item):
            self.callbacks.noticed(notice)

    async def settled(self) -> None:
        """Everything that was begun is done."""
        await self.callbacks._chores.done()

    async def asks(self, number: str = ZHANG, *, came_ms: int | None = None, id_: str = "b1") -> Callback:
        callback = wanted(id_, number, self.now_ms, placed_ms=came_ms)
        await self.database.record([], [row_of(callback)])
        self.callbacks.ask(callback)
        await self.settled()
        return callback

    async def passes(self, ms: int) -> None:
        await super().passes(ms)
        await self.settled()

    async def row(self, id_: str = "b1") -> Callback:
        await self.callbacks.rows.flush()
        found = await self.callbacks.rows.one(id_)
        assert found is not None
        return found

    async def in_line(self, queue: str = "sales") -> list[str]:
        return [item.id for item in await self.acd.waiting(queue)]

    async def begins_to_call(self, number: str = ZHANG) -> Callback:
        """A try that goes on until `answers` is set."""
        self.answers = asyncio.Event()
        callback = wanted("b1", number, self.now_ms)
        await self.database.record([], [row_of(callback)])
        self.callbacks.ask(callback)
        await until(lambda: callback.id in self.callbacks.rows)  # it is in line
        await super().passes(DELAY_MS)
        await until(lambda: self.tries)
        return callback

    async def opens(self) -> None:
        await self.passes(OPENS_IN_MS)


class _Board:
    """What the callbacks see of the switchboard."""

    def __init__(self, of: Room) -> None:
        self._of = of

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, {"journal": "journal_"}.get(name, name))


def wanted(id_: str, number: str, asked_ms: int, *, placed_ms: int | None = None) -> Callback:
    placed_ms = asked_ms if placed_ms is None else placed_ms
    return Callback(id=id_, call_id="c0", queue="sales", number=number, asked_ms=asked_ms, placed_ms=placed_ms)


def row_of(callback: Callback) -> CallbackRow:
    return CallbackRow(
        id=callback.id,
        call_id=callback.call_id,
        queue=callback.queue,
        number=callback.number,
        asked_ms=callback.asked_ms,
        placed_ms=callback.placed_ms,
        state=callback.state,
        attempts=callback.attempts,
        next_ms=callback.next_ms,
    )


async def comes_to_work(desk: Room) -> None:
    await desk.ready("8001")
    await desk.settled()


async def moves(office: Room, item: str, queue: str = "service") -> None:
    await office.callbacks.move(item, queue, by="boss")
    await office.settled()


def replace_callbacks(queue: Queue, **settings: Any) -> Queue:
    return queue.model_copy(update={"callbacks": CallingBack(**settings)})
