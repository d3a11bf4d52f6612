"""Callbacks in their queues: the place they have, and who takes it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

from engine.call.place import Place, Terms
from engine.call.record import CallRecord
from engine.callbacks import State, item_of
from engine.hours import Calendar
from engine.hours.written import CalendarSettings
from engine.redis_line import RedisLine
from engine.store.database import Database
from engine.store.rows import EndReason
from tests.acd.callbacks.room import (
    DELAY_MS,
    LI,
    OPENS_IN_MS,
    ZHANG,
    Room,
    comes_to_work,
    row_of,
    wanted,
)
from tests.acd.desk import START_MS, policy


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


async def test_whoever_took_their_callbacks_place_has_it_in_the_next_queue_and_after_redis_was_emptied(
    office: Room,
) -> None:
    callback = await office.asks(came_ms=office.now_ms - 2_400_000)
    await office.passes(DELAY_MS)
    await office.calls("other", queue="service", waited_ms=60_000)
    record = CallRecord(id="again", channel="c1", dialled="4008001234", queue="sales")
    board = SimpleNamespace(acd=office.acd, records=SimpleNamespace(save_now=lambda _: None))
    call: Any = SimpleNamespace(
        record=record, item="again", board=board, now_ms=lambda: office.now_ms, out_of_line=AsyncMock()
    )
    await Place(call, Terms(policy("any"), replaces=callback.item)).take()
    await office.passes(30_000)
    assert await office.acd.release("again", "moved", target="queue:service", actor="boss")

    record.queue = "service"
    await Place(call, Terms(policy("any"))).take()
    assert await office.in_line("service") == ["again", "other"]
    assert record.row(EndReason.ABANDONED_WAITING, office.now_ms).wait_ms == 30_000
    await office.line.call("FLUSHALL")
    await office.acd.load()
    await office.staff({"8001": {}}, ready=False)
    await Place(call, Terms(policy("any"))).put_back()
    state = await office.item("again")
    assert state is not None
    assert state.enqueued_ms == callback.placed_ms


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


async def test_a_place_that_redis_loses_while_an_agents_phone_rings_is_there_again_when_nobody_answers(
    office: Room,
) -> None:
    await comes_to_work(office)
    callback = await office.begins_to_call()
    await office.line.call("FLUSHALL")
    await office.acd.load()
    await office.staff({"8001": {}}, ready=False)
    await office.callbacks.again()
    assert await office.in_line() == [], "it is being tried"
    office.outcome = None  # what the ACD says of an offer that it does not know
    assert office.answers is not None
    office.answers.set()
    await office.settled()
    assert await office.in_line() == [callback.item]
    await comes_to_work(office)
    assert office.tries == [ZHANG, ZHANG]


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
