"""A caller who would rather be called: on which number, and on which not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from engine.callbacks import may_be_called
from engine.flow.steps import read_step
from engine.identity.numbers import normalise
from tests.unit.flow.office import Call
from tests.unit.flow.scripted import ScriptedLeg

OFFER = "callback-offer"


def step(**settings: Any) -> Any:
    return read_step({"callback": "sales", **settings})


def requested(call: Call) -> list[tuple[str, str]]:
    return [(request["queue"], request["number"]) for request in call.noted("callback.requested")]


async def test_a_caller_is_called_on_the_number_they_call_from() -> None:
    call = Call(ScriptedLeg(["1"]))
    assert await call.walks(step()) == "accepted"
    assert requested(call) == [("sales", "+8613800138000")]
    assert call.leg.heard == [OFFER, "callback-accepted"]
    assert call.visit.variables["callback.number"] == "+8613800138000"


async def test_or_on_another_that_they_key_in_and_hear_again() -> None:
    call = Call(ScriptedLeg(["2", *"13912345678", "#", "1"]))
    assert await call.walks(step()) == "accepted"
    assert requested(call) == [("sales", "+8613912345678")]
    assert call.leg.heard[:3] == [OFFER, "enter-phone-number", "you-entered"]
    assert call.leg.heard[-2:] == ["press-1-to-confirm", "callback-accepted"]


async def test_a_number_that_was_keyed_in_wrongly_is_keyed_in_again() -> None:
    call = Call(ScriptedLeg(["2", *"13912345678", "#", "2", *"075588881234", "#", "1"]))
    assert await call.walks(step()) == "accepted"
    assert requested(call) == [("sales", "+8675588881234")]


@pytest.mark.parametrize(("key", "outcome"), [("#", "declined"), ("", "declined: silence")])
async def test_who_does_not_want_it_is_not_called(key: str, outcome: str) -> None:
    call = Call(ScriptedLeg([key]))
    assert await call.walks(step()) == outcome
    assert requested(call) == []


async def test_who_never_finds_a_key_is_not_called() -> None:
    call = Call(ScriptedLeg(["7", "8", "9"]))
    assert await call.walks(step()) == "declined: wrong key"
    assert call.leg.heard == [OFFER, "invalid-key"] * 3


@pytest.mark.parametrize("raw", ["anonymous", "10086", "+8820001234567"])
async def test_a_caller_whose_number_cannot_be_called_keys_one_in(raw: str) -> None:
    call = Call(ScriptedLeg(["1", *"13912345678", "#", "1"]))
    assert await call.walks(step(), caller=normalise(raw)) == "accepted"
    assert requested(call) == [("sales", "+8613912345678")]


@pytest.mark.parametrize("number", ["4008001234", "00447700900123", "1234567", "008190300123456"])
async def test_nobody_has_the_company_call_what_costs_it_money(number: str) -> None:
    call = Call(ScriptedLeg(["2", *number, "#", *number, "#"]))
    assert await call.walks(step(tries=2)) == "not_possible: 2 tries"
    assert requested(call) == []
    assert call.leg.heard.count("callback-not-possible") >= 2


async def test_a_caller_who_keys_in_nothing_is_asked_again_and_then_let_go() -> None:
    call = Call(ScriptedLeg(["2", "", *"123", "#"]))
    assert await call.walks(step(tries=2)) == "not_possible: 2 tries"
    assert call.leg.heard == [
        OFFER,
        "enter-phone-number",
        "no-input",
        "enter-phone-number",
        "too-short",
    ]


async def test_two_requests_have_two_ids() -> None:
    call = Call(ScriptedLeg(["1", "1"]))
    await call.walks(step())
    await call.walks(step(callback="service"))
    ids = [request["callback"] for request in call.noted("callback.requested")]
    assert len(set(ids)) == 2
    assert all(request.startswith("1abc-") for request in ids)


@pytest.mark.parametrize(
    ("number", "countries", "may"),
    [
        ("+8613800138000", ["CN"], True),
        ("+8619912345678", ["CN"], True),
        ("+8675588881234", ["CN"], True),
        ("+8613800138000", ["HK"], False),
        ("+85291234567", ["CN"], False),
        ("+85291234567", ["CN", "HK"], True),
        ("+864008001234", ["CN"], False),
        ("+868008001234", ["CN"], False),
        ("+8695588", ["CN"], False),
        ("+19005551234", ["US"], False),
        ("", ["CN"], False),
        ("+", ["CN"], False),
        ("anonymous", ["CN"], False),
    ],
)
def test_only_ordinary_phones_of_the_countries_named_are_called(number: str, countries: list[str], may: bool) -> None:
    assert may_be_called(number, countries) is may


def test_a_country_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="is no country"):
        step(countries=["China"])
