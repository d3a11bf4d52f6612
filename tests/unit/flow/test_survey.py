"""One key from 1 to 5, and nobody is kept on the line for it."""

from __future__ import annotations

import pytest

from engine.flow.steps import read_step
from tests.unit.flow.office import Call
from tests.unit.flow.scripted import ScriptedLeg


def step(**settings: object) -> object:
    return read_step({"survey": ["survey-ask"], **settings})


@pytest.mark.parametrize("key", "12345")
async def test_each_answer_counts(key: str) -> None:
    call = Call(ScriptedLeg([key]))
    assert await call.walks(step(name="friendliness")) == f"answered: {key}"
    assert call.noted("survey.answered") == [{"question": "friendliness", "score": int(key)}]
    assert call.leg.heard == ["survey-ask", "survey-thanks"]


@pytest.mark.parametrize("key", ["0", "6", "*", "#"])
async def test_another_key_is_no_answer_and_the_question_comes_again(key: str) -> None:
    call = Call(ScriptedLeg([key, "5"]))
    assert await call.walks(step()) == "answered: 5"
    assert call.leg.heard == ["survey-ask", "invalid-key", "survey-ask", "survey-thanks"]


async def test_silence_ends_it_at_once() -> None:
    call = Call(ScriptedLeg([""]))
    assert await call.walks(step()) == "silence"
    assert call.leg.heard == ["survey-ask"]
    assert call.noted("survey.answered") == []


async def test_so_does_a_caller_who_never_finds_the_key() -> None:
    call = Call(ScriptedLeg(["9", "9"]))
    assert await call.walks(step(tries=2)) == "wrong_key: 2 tries"


async def test_what_was_typed_while_an_agent_was_there_is_no_answer() -> None:
    call = Call(ScriptedLeg(["2"]))
    call.leg.digits.press("5")
    assert await call.walks(step()) == "answered: 2"


async def test_an_answer_may_be_typed_while_the_question_is_read() -> None:
    class Quick(ScriptedLeg):
        async def play(self, prompts: object, *, stops: str = "") -> bool:
            self.digits.press("1")
            return False

    call = Call(Quick())
    assert await call.walks(step(highest=2, thanks=[])) == "answered: 1"
