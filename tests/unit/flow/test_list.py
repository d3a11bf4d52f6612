"""`list`: who is on it, by what is written and by what an operator has added."""

from __future__ import annotations

import pytest

from engine.orders import ListEntry
from engine.orders.standing import milliseconds
from tests.unit.flow.deciding import FRIDAY_MORNING, decide

BLOCK = {"list": "block", "when": {"listed": "refuse", "not_listed": "menu"}}


@pytest.mark.parametrize(
    ("caller", "step", "outcome"),
    [
        ("17012345678", "refuse", "listed: 骚扰"),
        ("13800138000", "menu", "not_listed"),
        ("13900000001", "menu", "not_listed"),  # its last day was yesterday
        ("anonymous", "menu", "not_listed"),
        ("", "menu", "not_listed"),
        ("10086", "menu", "not_listed"),
    ],
)
async def test_a_caller_is_on_a_list_or_not(caller: str, step: str, outcome: str) -> None:
    decided = await decide(BLOCK, caller=caller)
    assert (decided.step, decided.outcome) == (step, outcome)


async def test_an_operators_entry_counts_beside_what_is_written_until_its_time_is_over() -> None:
    entry = ListEntry(list="block", number="+8613800138000", reason="盗打", until_ms=milliseconds(FRIDAY_MORNING) + 1)
    assert (await decide(BLOCK, entry)).outcome == "listed: 盗打"
    assert (await decide(BLOCK, entry, caller="17012345678")).outcome == "listed: 骚扰"
    assert (await decide(BLOCK, entry, at=FRIDAY_MORNING.replace(minute=1))).outcome == "not_listed"


async def test_an_entry_of_another_list_does_not_count() -> None:
    assert (await decide(BLOCK, ListEntry(list="vip", number="+8613800138000"))).outcome == "not_listed"


async def test_a_list_with_a_tier_gives_it_to_its_callers_and_leaves_others_theirs() -> None:
    vip = {"list": "vip"}
    assert (await decide(vip)).variables["customer.tier"] == "VIP"
    assert (await decide(vip, caller="13900000009", known={"customer.tier": "gold"})).variables[
        "customer.tier"
    ] == "gold"
    added = await decide(vip, ListEntry(list="vip", number="+86139*", reason="大客户"), caller="13900000009")
    assert (added.variables["customer.tier"], added.variables["list.reason"]) == ("VIP", "大客户")


async def test_the_reason_of_an_earlier_list_is_not_that_of_this_one() -> None:
    assert (await decide(BLOCK, known={"list.reason": "大客户"})).variables["list.reason"] == ""
