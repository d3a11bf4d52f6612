"""`hours`: every outcome and its branch, by the calendar and by an operator's order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from engine.flow.steps import read_step
from engine.orders import HoursOrder
from engine.orders.standing import milliseconds
from tests.unit.flow.deciding import FRIDAY_MORNING, decide

STEP = {"hours": "office", "when": {"open": "menu", "closed": "night", "holiday": "holiday", "forced": "forced"}}
NIGHT = FRIDAY_MORNING.replace(hour=20)
NATIONAL_DAY = FRIDAY_MORNING.replace(month=10, day=1)


def forced(*, is_open: bool, **order: Any) -> HoursOrder:
    return HoursOrder(calendar="office", is_open=is_open, **order)


@pytest.mark.parametrize(
    ("at", "step", "outcome"),
    [
        (FRIDAY_MORNING, "menu", "open"),
        (NIGHT, "night", "closed: opens 2026-11-23 09:00"),
        (NATIONAL_DAY, "holiday", "holiday: 国庆节, opens 2026-10-08 09:00"),
    ],
)
async def test_each_state_of_the_calendar_has_its_branch(at: Any, step: str, outcome: str) -> None:
    decided = await decide(STEP, at=at)
    assert (decided.step, decided.outcome, decided.heard) == (step, outcome, [])


async def test_a_closed_caller_can_be_told_when_it_opens() -> None:
    closed = (await decide(STEP, at=NATIONAL_DAY)).variables
    assert [closed[f"hours.{name}"] for name in ("holiday", "opens_date", "opens_time")] == [
        "国庆节",
        "2026-10-08",
        "09:00",
    ]
    was_closed = {"hours.holiday": "国庆节", "hours.opens_date": "2026-10-08", "hours.opens_time": "09:00"}
    opened = (await decide(STEP, known=was_closed)).variables
    assert [opened[name] for name in was_closed] == ["", "", ""]


async def test_an_order_closes_and_its_message_is_said_first() -> None:
    decided = await decide(STEP, forced(is_open=False, say="goodbye"))
    assert (decided.step, decided.outcome, decided.heard) == ("forced", "forced", ["goodbye"])
    assert decided.leg.up


async def test_an_order_opens_at_night() -> None:
    decided = await decide(STEP, forced(is_open=True, say="welcome"), at=NIGHT)
    assert (decided.step, decided.outcome, decided.heard) == ("menu", "open: forced", ["welcome"])


async def test_an_order_that_is_over_is_none() -> None:
    order = forced(is_open=False, say="goodbye", until_ms=milliseconds(FRIDAY_MORNING))
    before = await decide(STEP, order, at=FRIDAY_MORNING - timedelta(seconds=1))
    assert (before.step, before.outcome) == ("forced", "forced: opens 2026-11-20 10:00")
    after = await decide(STEP, order)
    assert (after.step, after.heard) == ("menu", [])


async def test_a_message_that_this_version_of_the_site_does_not_have_ends_no_call() -> None:
    decided = await decide(STEP, forced(is_open=False, say="recorded-just-now"))
    assert (decided.step, decided.heard) == ("forced", [])


@pytest.mark.parametrize("orders", [[], [forced(is_open=False)]], ids=["holiday", "forced"])
async def test_what_has_no_branch_of_its_own_goes_where_closed_goes(orders: list[HoursOrder]) -> None:
    step = {"hours": "office", "when": {"closed": "night"}, "then": "menu"}
    assert (await decide(step, *orders, at=NATIONAL_DAY)).step == "night"


async def test_without_any_branch_the_call_goes_on() -> None:
    decided = await decide({"hours": "office", "then": "menu"}, at=NATIONAL_DAY)
    assert (decided.step, decided.outcome.partition(":")[0]) == ("menu", "holiday")


def test_an_outcome_that_there_is_none_of_is_refused() -> None:
    with pytest.raises(ValidationError, match="`when: lunch` is no outcome of `hours`"):
        read_step({"hours": "office", "when": {"lunch": "menu"}})


@pytest.mark.parametrize(
    ("when", "below"),
    [({}, True), ({"closed": "x"}, True), ({"open": "x"}, True), ({"open": "x", "closed": "y"}, False)],
)
def test_the_checker_knows_whether_a_call_may_go_on_below(when: dict[str, str], below: bool) -> None:
    assert read_step({"hours": "office", "when": when}).goes_below() is below
