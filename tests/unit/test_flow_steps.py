"""Each step's outcomes, on a leg that plays its part from a script; the telephone itself is tests/e2e's."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.flow import runner
from engine.flow.flow import Flow
from engine.flow.steps import Ended, ToQueue, Visit
from engine.identity.contract import Outcome

MENU = {"menu": ["menu-main"], "keys": {"1": "sales", 2: "service"}, "wait": "10ms", "tries": 3, "then": "lost"}
STEPS = {
    "menu": MENU,
    "sales": {"queue": "sales"},
    "service": {"queue": "service", "require": "service >= 3", "when": {"timed_out": "lost"}},
    "lost": {"hang_up": "timed_out"},
}


@dataclass
class ScriptedLeg:
    """A caller who presses `keys` one after the other; "" is one who waits too long."""

    keys: deque[str]
    language: str = "en"
    heard: list[str] = field(default_factory=list)
    music: list[bool] = field(default_factory=list)

    async def answer(self) -> None: ...

    async def play(self, prompts: Sequence[str], *, interruptible: bool = True) -> bool:
        self.heard += prompts
        return True

    async def digit(self, timeout_s: float) -> str | None:
        return (self.keys.popleft() or None) if self.keys else None

    async def hold_music(self, on: bool) -> None:
        self.music.append(on)

    async def hang_up(self) -> None: ...


async def walk(keys: Sequence[str], steps: dict[str, Any] | None = None, answer: Outcome = Outcome.OK) -> Any:
    leg = ScriptedLeg(deque(keys))

    async def look_up() -> str:
        return answer

    visit = Visit(leg, leg.play, look_up, lambda *_, **__: None)
    flow = Flow.model_validate({"steps": steps or STEPS})
    entered: list[str] = []
    end = await runner.run("main", flow, visit, entered=entered.append)
    return end, leg, entered


async def test_a_listed_key_leads_to_its_step() -> None:
    end, leg, entered = await walk(["1"])
    assert end == ToQueue("sales", None, {})
    assert leg.heard == ["menu-main"]
    assert entered == ["menu", "sales"]


async def test_a_key_written_as_a_number_is_a_key() -> None:
    end, _, _ = await walk(["2"])
    assert end == ToQueue("service", "service >= 3", {"timed_out": "lost"})


async def test_a_wrong_key_and_a_silence_are_told_and_asked_again() -> None:
    end, leg, _ = await walk(["9", "", "1"])
    assert isinstance(end, ToQueue)
    assert leg.heard == ["menu-main", "invalid-key", "menu-main", "no-input", "menu-main"]


@given(st.lists(st.sampled_from(["", "0", "1", "2", "9", "*", "#"]), max_size=6))
def test_a_menu_ends_where_the_first_listed_key_within_its_tries_says(keys: list[str]) -> None:
    end, leg, _ = asyncio.run(walk(keys))
    tries = [*keys, "", "", ""][:3]
    listed = next((key for key in tries if key in ("1", "2")), None)
    expected = {"1": "sales", "2": "service"}.get(listed or "")
    assert (end.queue if isinstance(end, ToQueue) else None) == expected
    assert leg.heard.count("menu-main") == (tries.index(listed) + 1 if listed else 3)


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_each_answer_of_the_identity_endpoint_has_its_branch(outcome: Outcome) -> None:
    steps = {
        "who": {"look_up": "caller", "when": {o.value: f"on-{o.value}" for o in Outcome}, "then": "otherwise"},
        **{f"on-{o.value}": {"queue": o.value} for o in Outcome},
        "otherwise": {"hang_up": "rejected"},
    }
    end, _, _ = await walk([], steps, outcome)
    assert end == ToQueue(outcome.value, None, {})


async def test_an_answer_without_a_branch_takes_the_default() -> None:
    steps = {"who": {"look_up": "caller", "when": {"rejected": "end"}, "then": "end"}, "end": {"hang_up": "rejected"}}
    end, _, _ = await walk([], steps, Outcome.TIMEOUT)
    assert end == Ended("rejected")


async def test_the_end_of_the_file_is_the_end_of_the_call() -> None:
    end, _, _ = await walk([], {"bye": {"play": ["goodbye"]}})
    assert end == Ended("flow_hangup")


async def test_a_flow_that_goes_round_for_ever_is_ended() -> None:
    end, _, entered = await walk([], {"a": {"play": ["x"], "then": "b"}, "b": {"play": ["y"], "then": "a"}})
    assert end == Ended("system_failure")
    assert len(entered) == runner.MOST_VISITS
