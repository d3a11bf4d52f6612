"""Conditions, cases and values."""

from __future__ import annotations

from typing import Any

import pytest

from engine.flow.steps import Ended, ToQueue
from tests.unit.flow.scripted import walk

ENDS: dict[str, Any] = {"yes": {"hangup": "rejected"}, "no": {"hangup": "timed_out"}}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ('customer.tier == "VIP"', True),
        ('customer.tier == "VIP" and balance > 100', True),
        ("balance > 1000 or not balance", False),
        ('caller.area in ["北京市", "上海市"]', True),
        ("100 <= balance < 201", True),
        ('starts(caller.number, "+86138")', True),
        ("length(order) == 6", True),
        ("order % 2 == 0", True),
        ("never_set", False),
        ("never_set == 0", False),
        ("never_set > 5", False),
        ('last(order, 2) == "56" and first(order, 1) == 1', True),
        ("balance - 200.5 == 0", True),
        ('language == "en"', True),
    ],
)
async def test_a_condition_leads_one_way_or_the_other(condition: str, holds: bool) -> None:
    walked = await walk(
        [],
        {"if": {"if": condition, "then": "yes", "else": "no"}, **ENDS},
        values={"customer.tier": "VIP", "balance": "200.5", "order": "123456"},
    )
    assert walked.end == Ended("rejected" if holds else "timed_out")


@pytest.mark.parametrize("condition", ["order / 0 == 1", 'number("abc") == 1', "order in 5"])
async def test_a_condition_that_cannot_be_calculated_is_not_fulfilled_and_says_why(condition: str) -> None:
    walked = await walk([], {"if": {"if": condition, "then": "yes", "else": "no"}, **ENDS}, order="123456")
    assert walked.end == Ended("timed_out")
    assert any("cannot be calculated" in str(payload.get("outcome")) for _, payload in walked.notes)


async def test_a_value_has_its_case_and_every_other_the_rest() -> None:
    steps = {
        "s": {"switch": "customer.tier", "cases": {"VIP": "vip", 7: "seven"}, "else": "no"},
        "vip": {"queue": "vip"},
        "seven": {"queue": "seven"},
        **ENDS,
    }
    assert (await walk([], steps, values={"customer.tier": "VIP"})).end == ToQueue(queue="vip")
    assert (await walk([], steps, values={"customer.tier": 7})).end == ToQueue(queue="seven")
    assert (await walk([], steps)).end == Ended("timed_out")


async def test_values_are_kept_one_after_the_other() -> None:
    walked = await walk([], {"s": {"set": {"a": 2, "b": "a * 3", "c": '"x" + "y"'}}})
    assert {name: walked.variables[name] for name in "abc"} == {"a": 2, "b": 6, "c": "xy"}


async def test_the_callers_language_is_a_variable() -> None:
    walked = await walk([], {"s": {"set": {"language": "'zh-CN'"}}, "p": {"play": ["goodbye"]}})
    assert walked.leg.language == "zh-CN"
    walked = await walk([], {"s": {"set": {"language": "'tlh'"}}})
    assert walked.leg.language == "en"


async def test_a_value_that_cannot_be_calculated_leaves_the_variable_as_it_was() -> None:
    steps = {"s": {"set": {"a": "a / 0", "b": 1}, "when": {"failed": "no"}}, **ENDS}
    walked = await walk([], steps, a=5)
    assert walked.end == Ended("timed_out")
    assert (walked.variables["a"], walked.variables["b"]) == (5, 1)
