"""`announcement`: heard while it is on, silent while it is off."""

from __future__ import annotations

from datetime import timedelta

from engine.orders import AnnouncementOrder
from engine.orders.standing import milliseconds
from tests.unit.flow.deciding import FRIDAY_MORNING, decide

STEP = {"announcement": "welcome", "when": {"played": "told", "off": "menu"}}


async def test_it_is_silent_until_it_is_switched_on_and_does_not_answer_the_call_for_nothing() -> None:
    decided = await decide(STEP)
    assert (decided.step, decided.outcome, decided.heard, decided.leg.up) == ("menu", "off", [], False)


async def test_it_is_heard_while_it_is_on() -> None:
    decided = await decide(STEP, AnnouncementOrder(name="welcome"))
    assert (decided.step, decided.outcome, decided.heard, decided.leg.up) == ("told", "played", ["welcome"], True)


async def test_another_one_being_on_does_not_concern_it() -> None:
    assert (await decide(STEP, AnnouncementOrder(name="goodbye"))).outcome == "off"


async def test_it_is_off_by_itself_when_its_time_is_over() -> None:
    order = AnnouncementOrder(name="welcome", until_ms=milliseconds(FRIDAY_MORNING))
    assert (await decide(STEP, order)).outcome == "off"
    assert (await decide(STEP, order, at=FRIDAY_MORNING - timedelta(milliseconds=1))).outcome == "played"


async def test_the_operator_may_name_another_prompt() -> None:
    decided = await decide(STEP, AnnouncementOrder(name="welcome", say="goodbye"))
    assert (decided.outcome, decided.heard) == ("played: goodbye", ["goodbye"])


async def test_a_prompt_that_this_version_of_the_site_does_not_have_is_replaced_by_its_own() -> None:
    assert (await decide(STEP, AnnouncementOrder(name="welcome", say="recorded-just-now"))).heard == ["welcome"]


async def test_a_key_typed_ahead_cuts_it_short_unless_it_must_be_heard() -> None:
    order = AnnouncementOrder(name="welcome")
    assert (await decide(STEP, order, keys=["1"])).heard == []
    must = await decide(STEP | {"interruptible": False}, order, keys=["1"])
    assert must.heard == ["welcome"]
    assert must.leg.digits.take() == "1"
