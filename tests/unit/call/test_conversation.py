"""Two people are put together when Asterisk has both of them, and not a moment before."""

from __future__ import annotations

import asyncio

from engine.call.phase import Phase
from engine.call.record import CallRecord
from tests.unit.call.stage import Stage


def stage() -> Stage:
    return Stage(CallRecord("1abc", "c1", "4008001234", phase=Phase.WAITING, queue="sales"))


async def test_a_leg_that_is_answered_is_bridged_when_asterisk_has_handed_it_over() -> None:
    at = stage()
    beginning = asyncio.ensure_future(at.call.talk_with(at.agent_leg).begin())
    await asyncio.sleep(0.01)
    assert at.told == [], "Asterisk refuses to bridge it yet"
    at.agent_leg.note_in_stasis()
    assert await asyncio.wait_for(beginning, 2)
    assert at.told == [("POST", f"bridges/{at.call.record.bridge}")]


async def test_a_leg_that_is_handed_over_already_costs_no_wait() -> None:
    at = stage()
    at.agent_leg.note_in_stasis()
    beginning = at.call.talk_with(at.agent_leg).begin()
    try:
        beginning.send(None)  # to the end, without having waited for anything
    except StopIteration as over:
        assert over.value is True


async def test_an_agent_who_leaves_before_their_leg_is_handed_over_has_not_talked() -> None:
    at = stage()
    beginning = asyncio.ensure_future(at.call.talk_with(at.agent_leg).begin())
    await asyncio.sleep(0)
    at.agent_leg.note_gone({"cause": 16})
    assert not await asyncio.wait_for(beginning, 1)
    assert at.call.record.bridge == ""
