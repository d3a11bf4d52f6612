"""Callbacks whose queue a reload changes while they wait."""

from __future__ import annotations

import asyncio

from engine.acd import AgentTerms
from engine.callbacks import State, item_of
from engine.config.queues import CallingBack, Queue
from engine.redis_line import RedisLine
from engine.store.database import Database
from tests.acd.callbacks.room import DELAY_MS, GAP_MS, LI, ZHANG, Room


def serving(requirement: str, **more: object) -> Queue:
    return Queue.model_validate({"require": requirement, "callbacks": CallingBack(), **more})


async def becomes(desk: Room, skill: str) -> None:
    """What the agent can is called so from now on, in agents.yaml and in queues.yaml."""
    desk.queues["sales"] = serving(skill)
    await desk.acd.define({"8001": AgentTerms({skill: 5})}, [])


async def test_whoever_waits_is_called_by_the_agents_of_the_new_version(desk: Room) -> None:
    await becomes(desk, "sales")
    await desk.asks(came_ms=desk.now_ms - 60_000)
    await desk.asks(LI, id_="b2")
    await desk.passes(DELAY_MS)
    await becomes(desk, "selling")
    await desk.callbacks.site_changed()
    assert await desk.in_line() == [item_of("sales", number) for number in (ZHANG, LI)], "at their places"
    await desk.ready("8001")
    await desk.settled()
    assert desk.tries == [ZHANG, LI]


async def test_whoever_is_tried_during_a_reload_is_tried_again_by_the_new_version(desk: Room) -> None:
    await becomes(desk, "sales")
    await desk.ready("8001")
    await desk.begins_to_call()
    await becomes(desk, "selling")
    await desk.callbacks.site_changed()
    assert (await desk.agent("8001")).item == item_of("sales", ZHANG), "who is reserved stays so"
    assert desk.answers is not None
    desk.answers.set()
    await desk.settled()
    await desk.passes(GAP_MS)
    assert desk.tries == [ZHANG, ZHANG]


async def test_whoever_was_on_the_line_during_a_reload_and_was_lost_is_called_by_the_new_version(desk: Room) -> None:
    await becomes(desk, "sales")
    await desk.ready("8001")
    callback = await desk.begins_to_call()
    desk.calls_there[callback.item] = "their call"
    await becomes(desk, "selling")
    await desk.callbacks.site_changed()
    del desk.calls_there[callback.item]
    assert desk.answers is not None
    desk.answers.set()
    await desk.settled()
    await desk.passes(GAP_MS)
    assert desk.tries == [ZHANG, ZHANG]


async def test_a_queue_that_no_longer_calls_back_leaves_them_to_people_though_nobody_is_at_work(desk: Room) -> None:
    await becomes(desk, "sales")
    await desk.asks()
    await desk.passes(DELAY_MS)
    desk.queues["sales"] = Queue(require="sales")
    await asyncio.gather(desk.callbacks.site_changed(), desk.callbacks.site_changed())
    assert ((await desk.row()).state, await desk.in_line()) == (State.REQUESTED, [])


async def test_the_next_engine_serves_by_its_own_version_whom_it_finds(
    desk: Room, line: RedisLine, database: Database
) -> None:
    await becomes(desk, "sales")
    await desk.asks()
    await desk.passes(DELAY_MS)
    await desk.callbacks.close()

    successor = Room(line, database)
    successor.now_ms = desk.now_ms
    await becomes(successor, "selling")
    await successor.callbacks.take_over(await successor.acd.adopt())
    await successor.callbacks.again()  # as after every start
    await successor.ready("8001")
    await successor.settled()
    assert successor.tries == [ZHANG]
