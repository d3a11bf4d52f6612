"""Whether the agent behind an extension can be rung now, must be waited for, or is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.acd import AgentState, Device, Hand, Intent, Missed, Work
from engine.call.extension import OUTCOMES, queue_of, why_not_now
from engine.flow.steps.base import ToAgent
from engine.flow.steps.extension import Extension

NOW_MS = 1_763_761_507_000
FREE = AgentState("8001", Intent.READY, "", Device.IDLE, (), 0, NOW_MS - 1000, 0, 0, 0, ("voice",))


def at(work: Work) -> tuple[Hand, ...]:
    return (Hand("1-1abc", "voice", work, 0, 0),)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({}, ""),
        ({"intent": Intent.NOT_READY}, "absent"),
        ({"intent": Intent.LOGGED_OUT}, "absent"),
        ({"device": Device.DOWN}, "absent"),
        ({"device": Device.DOWN, "hands": at(Work.TALKING)}, "absent"),
        ({"device": Device.BUSY}, "busy"),
        ({"hands": at(Work.RINGING)}, "busy"),
        ({"hands": at(Work.TALKING)}, "busy"),
        ({"hands": at(Work.WRAPUP)}, "busy"),
        ({"cool_until_ms": NOW_MS + 1}, "busy"),
        ({"cool_until_ms": NOW_MS}, ""),
    ],
)
def test_absent_is_who_will_not_come_and_busy_who_might(changed: dict[str, object], why: str) -> None:
    assert why_not_now(replace(FREE, **changed), NOW_MS) == why  # type: ignore[arg-type]


def test_an_agent_whom_the_acd_does_not_know_is_absent() -> None:
    assert why_not_now(None, NOW_MS) == "absent"


def test_the_wait_is_a_queue_whose_only_agent_they_are() -> None:
    to = ToAgent(agent="8001", ring_s=15, patience_s=45, wrap_up_s=5, music="tone")
    queue = queue_of(to)
    assert (queue.require, queue.ring, queue.max_wait, queue.wrap_up) == ("agent:8001", 15.0, 45.0, 5.0)
    assert (queue.music, queue.announce_position) == ("tone", None)


def test_however_an_offer_is_missed_the_step_has_an_outcome_for_it() -> None:
    assert set(OUTCOMES) == set(Missed)
    assert set(OUTCOMES.values()) <= set(Extension.outcomes)
