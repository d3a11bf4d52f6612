"""Callbacks in their queues, on a real Redis and a real database: the place they have, when they are tried, what ends
them.

How somebody is called is proved on real phones (tests/e2e/test_callback.py); here a try comes to what it is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.acd import Intent, Notice
from engine.call import callbacks as room
from engine.call.callbacks import Callbacks, NotMoved
from engine.call.calling_back import ALL_LINES_TAKEN, Failed
from engine.callbacks import Callback, State, is_callback, item_of
from engine.config.queues import KINDS, CallingBack, Queue
from engine.hours import Calendar
from engine.hours.written import CalendarSettings
from engine.orders import StandingOrders
from engine.redis_line import RedisLine
from engine.store.database import Database
from engine.store.left_behind import CallbackRow
from tests.acd.desk import START_MS, Desk, policy
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


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'hotline.db'}")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def desk(line: RedisLine, database: Database, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr(room, "Try", Try)
    desk = Room(line, database)
    await desk.acd.load()
    return desk


@pytest.fixture
async def office(desk: Room) -> Room:
    """During the day, with an agent who is on a break."""
    await desk.opens()
    await desk.staff({"8001": {}}, ready=False)
    return desk


async def comes_to_work(desk: Room) -> None:
    await desk.ready("8001")
    await desk.settled()


async def test_a_callback_has_the_place_that_its_customer_has_waited_for(office: Room) -> None:
    await office.calls("before", waited_ms=90_000)
    await office.calls("after", waited_ms=30_000)
    await office.asks(came_ms=office.now_ms - 60_000)
    assert await office.in_line() == ["before", "after"], "whoever asks is still on the phone"
    await office.passes(DELAY_MS)
    assert await office.in_line() == ["before", item_of("sales", ZHANG), "after"]
    assert (await office.row()).state is State.WAITING


async def test_a_number_that_asks_twice_has_one_place(office: Room) -> None:
    await office.asks(came_ms=office.now_ms - 60_000)
    await office.passes(DELAY_MS)
    office.callbacks.ask(wanted("b2", ZHANG, office.now_ms))
    await office.settled()
    assert await office.in_line() == [item_of("sales", ZHANG)]
    assert office.callbacks._open[item_of("sales", ZHANG)].id == "b1"


async def test_two_engines_that_are_asked_for_the_same_keep_one_between_them(
    office: Room, line: RedisLine, database: Database
) -> None:
    other = Room(line, database, "two")
    other.now_ms = office.now_ms
    await office.asks()
    other.callbacks.ask(wanted("b2", ZHANG, office.now_ms))
    await other.settled()
    assert not other.callbacks._open
    await comes_to_work(office)
    await office.passes(DELAY_MS)
    assert (office.tries, other.tries) == ([ZHANG], [])


async def test_nobody_is_called_at_night_and_the_place_is_there_in_the_morning(desk: Room) -> None:
    await desk.staff({"8001": {}})
    await desk.asks()
    assert (await desk.row()).next_ms == START_MS + 1_000 + OPENS_IN_MS - 1_000
    await desk.passes(OPENS_IN_MS - 2_000)
    assert desk.tries == []
    await desk.passes(2_000)
    assert desk.tries == [ZHANG]


async def test_an_agent_at_work_at_another_time_is_not_reserved_for_it(office: Room) -> None:
    await comes_to_work(office)
    office.site.calendars["office"] = Calendar(
        "office", CalendarSettings.model_validate({"open": {"daily": "15:00-16:00"}})
    )
    await office.asks()
    await office.passes(DELAY_MS)
    assert office.tries == []
    assert (await office.agent("8001")).ready == ("voice",)
    await office.passes(6 * 3_600_000)
    assert office.tries == [ZHANG]


async def test_whoever_is_not_reached_is_tried_again_after_the_gap_and_then_given_up(office: Room) -> None:
    await comes_to_work(office)
    await office.asks()
    for tries in (1, 2):
        await office.passes(DELAY_MS if tries == 1 else GAP_MS)
        row = await office.row()
        assert (len(office.tries), row.attempts, row.state, row.reason) == (tries, tries, State.WAITING, "busy")
        assert row.next_ms == office.now_ms + GAP_MS
        agent = await office.agent("8001")
        assert (agent.ready, agent.misses, agent.cool_until_ms) == (("voice",), 0, 0)
    await office.passes(GAP_MS)
    row = await office.row()
    assert (row.attempts, row.state, row.reason, row.closed_ms) == (3, State.FAILED, "busy", office.now_ms)
    assert await office.item(row.item) is None
    await office.passes(10 * GAP_MS)
    assert len(office.tries) == 3


async def test_a_try_that_would_come_too_late_is_none(line: RedisLine, database: Database, office: Room) -> None:
    office.queues["sales"] = replace_callbacks(office.queues["sales"], within=GAP_MS / 1000 + 5)
    await comes_to_work(office)
    await office.asks()
    await office.passes(DELAY_MS)
    assert ((await office.row()).state, len(office.tries)) == (State.FAILED, 1)


async def test_that_every_line_is_taken_is_no_try(office: Room) -> None:
    office.outcome = Failed(ALL_LINES_TAKEN)
    await comes_to_work(office)
    await office.asks()
    await office.passes(DELAY_MS)
    await office.passes(room.NOT_NOW_MS)
    assert len(office.tries) == 2
    assert ((await office.row()).attempts, (await office.row()).state) == (0, State.WAITING)


async def test_whoever_still_talks_to_the_hotline_is_not_called(office: Room) -> None:
    await comes_to_work(office)
    office.calls_there["c0"] = "their call"
    await office.asks()
    await office.passes(DELAY_MS)
    await office.passes(room.STILL_ON_MS)
    assert office.tries == []
    del office.calls_there["c0"]
    await office.passes(room.STILL_ON_MS)
    assert office.tries == [ZHANG]


async def test_a_customer_who_calls_again_takes_the_place_and_the_callback_is_merged(office: Room) -> None:
    callback = await office.asks(came_ms=office.now_ms - 60_000)
    await office.passes(DELAY_MS)
    await office.calls("other", waited_ms=30_000)
    await office.calls("again", replaces=callback.item)
    assert await office.in_line() == ["again", "other"]
    row = await office.row()
    assert (row.state, row.reason) == (State.MERGED, "replaced")
    await comes_to_work(office)
    assert office.tries == []
    assert office.offered() == [("again", "8001")]


async def test_a_customer_who_calls_while_we_call_them_ends_the_try(office: Room) -> None:
    await comes_to_work(office)
    callback = await office.begins_to_call()
    await office.calls("again", replaces=callback.item)
    assert [type(notice).__name__ for notice in office.told] == ["Cancelled", "Released"]
    office.outcome = None
    assert office.answers is not None
    office.answers.set()
    await office.settled()
    assert (await office.row()).state is State.MERGED
    assert office.offered()[-1] == ("again", "8001")


async def test_a_customer_who_calls_again_waits_with_a_patience_of_their_own(office: Room) -> None:
    callback = await office.asks(came_ms=office.now_ms - 3_600_000)
    await office.passes(DELAY_MS)
    placement = await office.calls("again", policy("any", max_wait_ms=600_000, capacity=1), replaces=callback.item)
    assert placement.refused == ""
    await office.passes(590_000)
    assert await office.in_line() == ["again"]
    await office.passes(20_000)
    assert [(told.item, told.reason) for told in office.released][-1] == ("again", "timed_out")


async def test_whoever_is_seen_to_by_hand_is_out_of_the_line(office: Room) -> None:
    callback = await office.asks()
    await office.passes(DELAY_MS)
    office.callbacks.closed_by_hand(callback.item, "done", "8001")
    await office.settled()
    assert await office.in_line() == []
    await comes_to_work(office)
    assert office.tries == []


async def test_a_supervisor_who_takes_one_out_has_cancelled_it(office: Room) -> None:
    callback = await office.asks()
    await office.passes(DELAY_MS)
    assert await office.acd.release(callback.item, "withdrawn", actor="boss")
    await office.settled()
    await office.acd.look_at("8001")
    assert (await office.row()).state is State.CANCELLED


async def moves(office: Room, item: str, queue: str = "service") -> None:
    await office.callbacks.move(item, queue, by="boss")
    await office.settled()


async def test_a_moved_callback_waits_in_the_other_queue_since_the_same_moment(office: Room) -> None:
    callback = await office.asks(came_ms=office.now_ms - 60_000)
    await office.passes(DELAY_MS)
    for item, waited_ms in (("before", 90_000), ("after", 30_000)):
        await office.calls(item, queue="service", waited_ms=waited_ms)
    await moves(office, callback.item)
    there = item_of("service", ZHANG)
    assert await office.in_line() == []
    assert await office.in_line("service") == ["before", there, "after"]
    row = await office.row()
    assert (row.id, row.queue, row.state, row.placed_ms) == ("b1", "service", State.WAITING, callback.placed_ms)
    moved = office.journalled[-1]
    assert (moved.call, moved.callback, moved.came_from, moved.queue) == (there, "b1", "sales", "service")


async def test_whoever_calls_the_queue_that_their_callback_was_moved_to_takes_its_place(office: Room) -> None:
    callback = await office.asks(came_ms=office.now_ms - 60_000)
    await office.passes(DELAY_MS)
    await moves(office, callback.item)
    await office.calls("other", queue="service", waited_ms=30_000)
    await office.calls("again", queue="service", replaces=item_of("service", ZHANG))
    assert await office.in_line("service") == ["again", "other"]
    assert (await office.row()).state is State.MERGED


async def test_a_moved_callback_keeps_the_priority_that_somebody_has_given_it(office: Room) -> None:
    callback = await office.asks()
    await office.passes(DELAY_MS)
    await office.acd.reprioritise(callback.item, head_start_ms=300_000, strict=1, actor="boss")
    await moves(office, callback.item)
    told = await office.acd.explain(item_of("service", ZHANG))
    assert told is not None
    assert (told.head_start_ms, told.strict) == (300_000, 1)
    assert (await office.row()).head_start_ms == 300_000


async def test_a_callback_that_is_moved_while_we_call_is_tried_again_in_the_other_queue(office: Room) -> None:
    await comes_to_work(office)
    callback = await office.begins_to_call()
    await office.callbacks.move(callback.item, "service", by="boss")
    assert [type(notice).__name__ for notice in office.told] == ["Cancelled", "Released"]
    office.outcome = None
    assert office.answers is not None
    office.answers.set()
    await office.settled()
    assert office.tries == [ZHANG, ZHANG]
    row = await office.row()
    assert (row.queue, row.attempts) == ("service", 1)


async def test_a_callback_stays_where_it_is_when_the_other_queue_cannot_have_it(office: Room) -> None:
    callback = await office.asks()
    await office.passes(DELAY_MS)
    office.queues["nobody"] = Queue(require="any")
    with pytest.raises(NotMoved, match="nobody calls nobody back"):
        await office.callbacks.move(callback.item, "nobody", by="boss")
    there = replace(wanted("b2", ZHANG, office.now_ms), queue="service")
    await office.database.record([], [row_of(there)])
    with pytest.raises(NotMoved, match="service already"):
        await office.callbacks.move(callback.item, "service", by="boss")
    assert await office.in_line() == [callback.item]


async def test_the_next_engine_finds_a_callback_where_it_was_moved_to_before_the_database_knew(
    office: Room, line: RedisLine, database: Database
) -> None:
    callback = await office.asks()
    await office.passes(DELAY_MS)
    await moves(office, callback.item)
    office.callbacks.rows._words.clear()  # its engine dies

    successor = Room(line, database)
    successor.now_ms = office.now_ms
    await successor.callbacks.take_over(await successor.acd.adopt())
    for _ in range(2):
        await successor.callbacks.look()
    assert (await successor.row()).queue == "service"
    assert (await successor.in_line(), await successor.in_line("service")) == ([], [item_of("service", ZHANG)])


async def test_a_queue_that_no_longer_calls_back_leaves_them_to_people(office: Room) -> None:
    await office.asks()
    office.queues["sales"] = Queue(require="any")
    await comes_to_work(office)
    await office.passes(DELAY_MS)
    assert (office.tries, (await office.row()).state) == ([], State.REQUESTED)
    assert await office.in_line() == []
    await office.asks(LI, id_="b2")
    assert (await office.row("b2")).state is State.REQUESTED


async def test_what_redis_does_not_know_is_put_back_once_it_was_missed_twice(office: Room) -> None:
    came_ms = office.now_ms - 60_000
    lost = replace(wanted("b1", ZHANG, came_ms), state=State.DIALLING, attempts=1)
    talked = replace(wanted("b2", LI, came_ms), state=State.BRIDGED, attempts=1)
    old = wanted("b3", "+8613912345679", office.now_ms - 10 * 86_400_000)
    await office.database.record([], [row_of(lost), row_of(talked), row_of(old)])
    await office.callbacks.look()
    assert await office.in_line() == []
    await office.callbacks.look()
    assert await office.in_line() == [lost.item]
    assert [(await office.row(id_)).state for id_ in ("b1", "b2", "b3")] == [State.WAITING, State.DONE, State.FAILED]
    state = await office.item(lost.item)
    assert state is not None
    assert state.enqueued_ms == came_ms


async def test_a_redis_that_was_emptied_has_them_at_their_places_again(office: Room) -> None:
    callback = await office.asks(came_ms=office.now_ms - 60_000)
    await office.passes(DELAY_MS)
    await office.line.call("FLUSHALL")
    await office.acd.load()
    await office.staff({"8001": {}}, ready=False)
    await office.calls("later", waited_ms=30_000)
    await office.callbacks.again()
    assert await office.in_line() == [callback.item, "later"]


async def test_another_engine_goes_on_where_one_has_died(office: Room, line: RedisLine, database: Database) -> None:
    await office.ready("8001")
    await office.begins_to_call()
    await office.callbacks.close()  # in the middle of a try

    successor = Room(line, database)
    successor.now_ms = office.now_ms
    await successor.callbacks.take_over(await successor.acd.adopt())
    await successor.settled()
    assert (await successor.agent("8001")).misses == 0
    assert (await successor.row()).attempts == 1
    await successor.passes(5_000)
    assert successor.tries == [ZHANG]
    assert (await successor.row()).attempts == 2


async def test_an_engine_that_stops_begins_no_further_try(office: Room) -> None:
    await comes_to_work(office)
    await office.asks()
    office.callbacks.drain()
    await office.passes(DELAY_MS)
    assert office.tries == []
    assert (await office.agent("8001")).intent is Intent.READY


def replace_callbacks(queue: Queue, **settings: Any) -> Queue:
    return queue.model_copy(update={"callbacks": CallingBack(**settings)})
