"""When somebody is tried, again, and no more."""

from __future__ import annotations

from engine.acd import Intent
from engine.call import callbacks as room
from engine.call.calling_back import ALL_LINES_TAKEN, Failed
from engine.callbacks import State
from engine.config.queues import Queue
from engine.redis_line import RedisLine
from engine.store.database import Database
from tests.acd.callbacks.room import (
    DELAY_MS,
    GAP_MS,
    LI,
    ZHANG,
    Room,
    comes_to_work,
    replace_callbacks,
)


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


async def test_who_waits_until_nobody_expects_it_any_more_is_given_up_although_no_agent_came(office: Room) -> None:
    office.queues["sales"] = replace_callbacks(office.queues["sales"], within=GAP_MS / 1000)
    await office.asks()
    await office.passes(GAP_MS)
    await office.callbacks.look()
    assert (await office.row()).state is State.WAITING
    await office.passes(1)
    await office.callbacks.look()
    row = await office.row()
    assert (row.state, row.reason) == (State.FAILED, room.TOO_OLD)
    assert await office.item(row.item) is None
    await office.asks(id_="b2")
    await office.passes(DELAY_MS)
    assert await office.in_line() == [row.item], "they may ask again"


async def test_whoever_is_being_called_is_called_to_the_end_however_late_it_is(office: Room) -> None:
    office.queues["sales"] = replace_callbacks(office.queues["sales"], within=GAP_MS / 1000)
    await comes_to_work(office)
    callback = await office.begins_to_call()
    office.now_ms += 2 * GAP_MS
    await office.callbacks.look()
    assert callback.item in office.callbacks
    office.outcome = Failed("busy")
    assert office.answers is not None
    office.answers.set()
    await office.settled()
    assert (await office.row()).state is State.FAILED


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


async def test_a_queue_that_no_longer_calls_back_leaves_them_to_people(office: Room) -> None:
    await office.asks()
    office.queues["sales"] = Queue(require="any")
    await comes_to_work(office)
    await office.passes(DELAY_MS)
    assert (office.tries, (await office.row()).state) == ([], State.REQUESTED)
    assert await office.in_line() == []
    await office.asks(LI, id_="b2")
    assert (await office.row("b2")).state is State.REQUESTED


async def test_an_engine_that_stops_begins_no_further_try(office: Room) -> None:
    await comes_to_work(office)
    await office.asks()
    office.callbacks.drain()
    await office.passes(DELAY_MS)
    assert office.tries == []
    assert (await office.agent("8001")).intent is Intent.READY
