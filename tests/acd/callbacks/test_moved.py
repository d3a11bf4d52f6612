"""A callback that a supervisor moves to another queue."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.call.callbacks import NotMoved
from engine.callbacks import State, item_of
from engine.config.queues import Queue
from engine.redis_line import RedisLine
from engine.store.database import Database
from tests.acd.callbacks.room import (
    DELAY_MS,
    ZHANG,
    Room,
    comes_to_work,
    moves,
    row_of,
    wanted,
)


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
