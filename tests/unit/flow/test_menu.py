"""A menu, and what it makes of a caller's keys."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.flow.steps import Ended, ToQueue
from tests.unit.flow.scripted import walk

MENU = {"menu": ["menu-main"], "keys": {"1": "sales", 2: "service"}, "wait": "10ms", "tries": 3, "then": "lost"}
STEPS: dict[str, Any] = {
    "menu": MENU,
    "sales": {"queue": "sales"},
    "service": {"queue": "service", "require": "service >= 3", "when": {"timed_out": "lost"}},
    "lost": {"hangup": "timed_out"},
}


async def test_a_listed_key_leads_to_its_step() -> None:
    walked = await walk(["1"], STEPS)
    assert walked.end == ToQueue(queue="sales")
    assert walked.leg.heard == ["menu-main"]
    assert walked.entered == ["main/menu", "main/sales"]


async def test_a_key_written_as_a_number_is_a_key() -> None:
    walked = await walk(["2"], STEPS)
    assert walked.end == ToQueue(queue="service", require="service >= 3", branches={"timed_out": "lost"})


async def test_a_wrong_key_and_a_silence_are_told_and_asked_again() -> None:
    walked = await walk(["9", "", "1"], STEPS)
    assert isinstance(walked.end, ToQueue)
    assert walked.leg.heard == ["menu-main", "invalid-key", "menu-main", "no-input", "menu-main"]


async def test_the_last_mistake_has_a_branch_of_its_own() -> None:
    steps = {
        "menu": {**MENU, "when": {"silence": "quiet"}},
        "sales": {"queue": "sales"},
        "service": {"queue": "service"},
        "quiet": {"hangup": "timed_out"},
        "lost": {"hangup": "rejected"},
    }
    assert (await walk(["9", "9", ""], steps)).end == Ended("timed_out")
    assert (await walk(["", "", "9"], steps)).end == Ended("rejected")


async def test_keys_typed_ahead_of_a_menu_are_its_answer_unless_it_wants_none() -> None:
    steps = {"before": {"collect": "n", "ask": ["enter-order-number"], "min": 2, "max": 2}, **STEPS}
    assert (await walk(["4", "2", "1"], steps)).end == ToQueue(queue="sales")
    deaf = {**steps, "menu": {**MENU, "type_ahead": False}}
    walked = await walk(["4", "2"], deaf)
    assert walked.end == Ended("timed_out")


@given(st.lists(st.sampled_from(["", "0", "1", "2", "9", "*", "#"]), max_size=6))
def test_a_menu_ends_where_the_first_listed_key_within_its_tries_says(keys: list[str]) -> None:
    walked = asyncio.run(walk(keys, STEPS))
    tries = [*keys, "", "", ""][:3]
    listed = next((key for key in tries if key in ("1", "2")), None)
    expected = {"1": "sales", "2": "service"}.get(listed or "")
    assert (walked.end.queue if isinstance(walked.end, ToQueue) else None) == expected
    assert walked.leg.heard.count("menu-main") == (tries.index(listed) + 1 if listed else 3)
