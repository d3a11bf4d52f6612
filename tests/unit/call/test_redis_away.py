"""Redis goes away in the middle of a call: the caller hears something, and goes where their flow says."""

from __future__ import annotations

import asyncio
import sys

import pytest

from engine.acd import Missed
from engine.call.extension import Owner
from engine.call.phase import Phase
from engine.call.place import Place, Terms
from engine.call.record import CallRecord
from engine.config.policies import policy_of_agent
from engine.flow.steps.base import ToAgent
from tests.unit.call.stage import SITE, Stage

TO_AGENT = ToAgent(agent="8001", ring_s=10.0, wrap_up_s=1.0, patience_s=0.0, music="default")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["engine.redis_line.surely"], "AGAIN_S", 0.001)
    monkeypatch.setattr("engine.flow.patience.MUSIC_AFTER_S", 0.001)


async def in_line(phase: Phase) -> Stage:
    at = Stage(CallRecord("1abc", "c1", "4008001234", phase=phase, away=TO_AGENT, queue="sales"))
    await Place(at.call, Terms(policy_of_agent(TO_AGENT, SITE))).take()
    return at


async def test_whoever_comes_back_into_the_flow_is_not_left_in_an_empty_bridge() -> None:
    at = await in_line(Phase.WAITING)
    record = at.call.record
    at.agent_leg.note_in_stasis()
    assert await at.call.talk_with(at.agent_leg).begin()
    at.agent_leg.note_gone({"cause": 16})
    at.line.away = True
    at.told.clear()
    bridge = record.bridge
    returning = asyncio.ensure_future(at.call._return_to_flow())
    await at.until_told(("POST", "channels/c1/moh"))
    assert at.told == [("DELETE", f"bridges/{bridge}"), ("POST", "channels/c1/moh")]
    assert not returning.done()

    at.line.away = False
    await asyncio.wait_for(returning, 2)
    assert (record.phase, at.line.items) == (Phase.FLOW, {})
    assert at.told[-1] == ("DELETE", "channels/c1/moh")


async def test_who_does_not_reach_their_agent_goes_on_in_the_flow_while_redis_is_away() -> None:
    at = await in_line(Phase.WAITING)
    at.line.away = True
    assert await Owner(at.call, TO_AGENT)._after(Missed.REJECTED) == "busy"
    at.line.away = False
    await at.line.until({})
