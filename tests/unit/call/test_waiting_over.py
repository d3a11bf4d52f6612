"""A wait that the ACD has ended is over, whenever it was told; and whoever has left a line stands in it no longer."""

from __future__ import annotations

import asyncio
import sys

import pytest

from engine.acd import Policy, Released, Step
from engine.call.phase import Phase
from engine.call.place import Place, Terms
from engine.call.record import CallRecord
from engine.call.waiting import Waiting
from tests.unit.call.stage import Stage

POLICY = Policy(steps=(Step(0, "any"),), lease_ms=35_000, wrapup_ms=0, max_wait_ms=60_000)
TERMS = Terms(POLICY)


def stage(phase: Phase) -> Stage:
    return Stage(CallRecord("1abc", "c1", "4008001234", phase=phase, queue="sales"))


def released(reason: str, target: str = "") -> Released:
    return Released("1abc", reason, target, 0, 0)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.call.place.REDIS_AGAIN_S", 0.001)
    monkeypatch.setattr(sys.modules["engine.redis_line.surely"], "AGAIN_S", 0.001)


async def test_a_wait_that_ended_while_nobody_listened_is_over_and_no_second_one_begins() -> None:
    """An agent dumped the call, or an engine died, and its limit had passed by then."""
    at = stage(Phase.WAITING)
    at.call.notices.put(at.offer())
    at.call.notices.put(released("timed_out"))
    async with asyncio.timeout(2):
        assert await Waiting(at.call, TERMS, ring_s=20).conversation() == "timed_out"
    assert (at.line.asked, at.line.items) == ([], {})


async def test_whoever_was_moved_while_nobody_listened_goes_where_the_supervisor_said() -> None:
    at = stage(Phase.WAITING)
    at.call.notices.put(released("moved", "queue:later"))
    async with asyncio.timeout(2):
        await Waiting(at.call, TERMS, ring_s=20).conversation()
    assert at.call.moved_to == "later"
    assert at.line.items == {}


async def test_what_comes_late_of_one_line_does_not_end_the_wait_in_the_next() -> None:
    at = stage(Phase.FLOW)
    at.call.notices.put(released("timed_out"))
    waiting = asyncio.ensure_future(Waiting(at.call, TERMS, ring_s=20).conversation())
    await at.line.until({"1abc": "sales"})
    await asyncio.sleep(0.01)
    assert not waiting.done()
    at.call.notices.put(released("closed"))
    assert await asyncio.wait_for(waiting, 2) == "closed"


async def test_who_goes_on_in_the_flow_while_redis_is_away_is_out_of_line_when_it_is_back() -> None:
    at = stage(Phase.WAITING)
    await Place(at.call, TERMS).take()
    at.line.away = True
    at.call.leaves_line("timed_out")
    await asyncio.sleep(0.01)
    assert at.line.items == {"1abc": "sales"}
    at.line.away = False
    await at.line.until({})


async def test_the_next_line_is_not_taken_for_the_one_that_was_left_while_redis_was_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.modules["engine.redis_line.surely"], "AGAIN_S", 0.05)  # the next line is asked first
    at = stage(Phase.WAITING)
    await Place(at.call, TERMS).take()
    at.line.away = True
    at.call.leaves_line("timed_out")
    at.call.record.queue = "later"
    taken = asyncio.ensure_future(Place(at.call, TERMS).take())
    await asyncio.sleep(0.01)
    at.line.away = False
    await asyncio.wait_for(taken, 2)
    assert at.call._leaving is not None
    await asyncio.wait_for(at.call._leaving, 2)
    assert at.line.items == {"1abc": "later"}


async def test_a_redis_that_is_away_past_the_limit_ends_the_wait_and_keeps_nobody_in_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("engine.call.waiting.LATE_S", 0.0)
    at = stage(Phase.FLOW)
    brief = Terms(Policy(steps=(Step(0, "any"),), lease_ms=1, wrapup_ms=0, max_wait_ms=20))
    waiting = asyncio.ensure_future(Waiting(at.call, brief, ring_s=0.0).conversation())
    await at.line.until({"1abc": "sales"})
    at.line.away = True
    assert await asyncio.wait_for(waiting, 2) == "timed_out"
    at.line.away = False
    await at.line.until({})
