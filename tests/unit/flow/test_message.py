"""A message is handed over, and the call goes on."""

from __future__ import annotations

from typing import Any

from engine.flow.steps import read_step
from engine.identity.numbers import normalise
from tests.unit.flow.office import Call, Letters
from tests.unit.flow.scripted import ScriptedLeg
from tests.unit.nobody import NoMessages


def step(to: str = "{caller.number}", text: str = "Order {order} is on its way.") -> Any:
    return read_step({"message": {"to": to, "text": text}})


async def test_its_holes_are_filled_with_the_calls_values() -> None:
    letters = Letters()
    call = Call(ScriptedLeg(), letters=letters)
    assert await call.walks(step(), order="1234") == "sent"
    assert letters.sent == [("message", "+8613800138000", "Order 1234 is on its way.", {})]
    assert not call.leg.up


async def test_an_anonymous_caller_gets_none() -> None:
    letters = Letters()
    call = Call(ScriptedLeg(), letters=letters)
    assert await call.walks(step(), caller=normalise("anonymous")) == "not_possible: nobody to send it to"
    assert letters.sent == []


async def test_values_that_do_not_fit_are_an_outcome() -> None:
    assert (await Call(ScriptedLeg()).walks(step(text="{order + 1}"), order="x")).startswith("not_possible: ")


async def test_a_message_that_nobody_keeps_is_an_outcome() -> None:
    assert await Call(ScriptedLeg(), letters=Letters(takes=False)).walks(step()) == "not_possible"
    call = Call(ScriptedLeg())
    call.services.messages = NoMessages()
    assert await call.walks(step()) == "not_possible"
