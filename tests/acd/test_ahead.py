"""Agents who are about to be free: what may be dialled ahead is reserved for them before their wrap-up ends."""

from __future__ import annotations

import pytest

from engine.acd import AgentTerms, Device, Intent, Missed, Policy, Sooner, Work
from tests.acd.desk import LEASE_MS, WRAPUP_MS, Desk, policy

AHEAD_MS = 4_000
TO_CALL = policy(ahead_ms=AHEAD_MS)


async def wraps_up(desk: Desk, *waiting: tuple[str, Policy], agent: str = "8001", wrapup_ms: int = WRAPUP_MS) -> None:
    """An agent has just talked, and these wait for them."""
    await desk.staff({agent: {}}, "any")
    await desk.calls("before", wrapup_ms=wrapup_ms)
    await desk.acd.accept(desk.last.token)
    for item, terms in waiting:
        await desk.calls(item, terms)
    await desk.acd.leave("before", reason="completed_by_caller")
    await desk.passes(0)


async def test_it_is_reserved_when_so_much_of_the_wrap_up_is_left_and_the_wrap_up_goes_on(desk: Desk) -> None:
    await wraps_up(desk, ("back", TO_CALL))
    free_ms = desk.now_ms + WRAPUP_MS
    await desk.passes(WRAPUP_MS - AHEAD_MS - 1)
    assert desk.last.item == "before"
    await desk.passes(1)
    assert (desk.last.item, desk.last.agent, desk.last.free_in_ms) == ("back", "8001", AHEAD_MS)
    agent = await desk.agent("8001")
    assert [(hand.work, hand.item, hand.until_ms) for hand in agent.hands] == [
        (Work.WRAPUP, "before", free_ms),
        (Work.RESERVED, "back", free_ms),
    ]
    assert agent.wrapup_until_ms == free_ms
    [*_, created] = await desk.journal("offer.created")
    assert (created["free_in_ms"], created["idle_ms"]) == (AHEAD_MS, 0)
    await desk.passes(AHEAD_MS)
    assert [hand.work for hand in (await desk.agent("8001")).hands] == [Work.RESERVED]
    assert await desk.acd.accept(desk.last.token) is True


async def test_a_wrap_up_that_is_shorter_than_that_is_looked_ahead_of_at_its_beginning(desk: Desk) -> None:
    await wraps_up(desk, ("back", TO_CALL), wrapup_ms=3_000)
    assert (desk.last.item, desk.last.free_in_ms) == ("back", 3_000)


async def test_each_queue_has_its_own_time(desk: Desk) -> None:
    await wraps_up(desk, ("back", policy(ahead_ms=1_000)), ("behind", TO_CALL))
    await desk.passes(WRAPUP_MS - 1_001)
    assert desk.last.item == "before"
    await desk.passes(1)
    assert (desk.last.item, desk.last.free_in_ms) == ("back", 1_000)


async def test_a_caller_who_waits_in_front_of_it_has_the_agent_when_they_are_free(desk: Desk) -> None:
    await wraps_up(desk, ("caller", policy()), ("back", TO_CALL))
    await desk.passes(WRAPUP_MS - 1)
    assert desk.last.item == "before"
    await desk.passes(1)
    assert (desk.last.item, desk.last.free_in_ms) == ("caller", 0)


async def test_nobody_rings_ahead_for_a_caller_on_the_line(desk: Desk) -> None:
    await wraps_up(desk, ("caller", policy()))
    await desk.acd.intern(TO_CALL)
    await desk.passes(WRAPUP_MS - 1)
    assert desk.last.item == "before"


@pytest.mark.parametrize("state", [{"intent": Intent.NOT_READY}, {"device": Device.DOWN}, {"device": Device.BUSY}])
async def test_who_will_not_be_free_is_not_reserved(desk: Desk, state: dict[str, str]) -> None:
    await wraps_up(desk, ("back", TO_CALL))
    await desk.acd.agent("8001", **state)  # type: ignore[arg-type]
    await desk.passes(WRAPUP_MS - 1)
    assert desk.last.item == "before"
    await desk.ready("8001")
    await desk.passes(0)
    assert (desk.last.item, desk.last.free_in_ms) == ("back", 1), "they will be after all"


@pytest.mark.parametrize("state", [{"intent": Intent.NOT_READY}, {"device": Device.DOWN}, {"device": Device.BUSY}])
async def test_who_will_not_be_free_after_all_is_given_back_uncharged(desk: Desk, state: dict[str, str]) -> None:
    await wraps_up(desk, ("back", TO_CALL))
    await desk.passes(WRAPUP_MS - AHEAD_MS)
    token = desk.last.token
    await desk.acd.agent("8001", **state)  # type: ignore[arg-type]
    assert [(gone.token, gone.reason) for gone in desk.cancelled] == [(token, "not_free")]
    assert await desk.acd.position("back") == 1
    agent = await desk.agent("8001")
    assert ([hand.work for hand in agent.hands], agent.misses, agent.cool_until_ms) == ([Work.WRAPUP], 0, 0)
    assert await desk.acd.accept(token) is False
    await desk.ready("8001")
    await desk.passes(AHEAD_MS)
    assert (desk.last.item, desk.last.agent) == ("back", "8001")


async def test_a_wrap_up_that_lasts_longer_takes_it_back_and_it_is_looked_ahead_again(desk: Desk) -> None:
    await wraps_up(desk, ("back", TO_CALL))
    await desk.passes(WRAPUP_MS - AHEAD_MS)
    token = desk.last.token
    await desk.acd.wrapup("8001", 30_000)
    assert [(gone.token, gone.reason) for gone in desk.cancelled] == [(token, "not_free")]
    [taken_back] = await desk.journal("offer.cancelled")
    assert (taken_back["agent"], taken_back["reason"]) == ("8001", "not_free")
    assert await desk.acd.position("back") == 1
    await desk.passes(30_000 - AHEAD_MS)
    assert desk.last.token == token
    await desk.passes(AHEAD_MS)
    assert (desk.last.token != token, desk.last.item, desk.last.free_in_ms) == (True, "back", AHEAD_MS)


async def test_what_was_taken_back_goes_to_whoever_is_free_first(desk: Desk) -> None:
    await wraps_up(desk, ("back", TO_CALL))
    await desk.passes(WRAPUP_MS - AHEAD_MS)
    await desk.acd.wrapup("8001", 30_000)
    await desk.staff({"8001": {}, "8002": {}}, "any")
    assert (desk.last.item, desk.last.agent, desk.last.free_in_ms) == ("back", "8002", 0)


async def test_a_wrap_up_that_ends_sooner_is_told_and_the_offer_stands(desk: Desk) -> None:
    await wraps_up(desk, ("back", TO_CALL))
    await desk.passes(WRAPUP_MS - AHEAD_MS)
    token = desk.last.token
    await desk.acd.wrapup("8001", 0)
    assert desk.sooner == [Sooner(token, "back", "8001", 0)]
    assert desk.cancelled == []
    assert [hand.work for hand in (await desk.agent("8001")).hands] == [Work.RESERVED]
    assert await desk.acd.accept(token) is True


async def test_asked_again_an_offer_says_how_long_it_still_is(desk: Desk) -> None:
    await wraps_up(desk, ("back", TO_CALL))
    await desk.passes(WRAPUP_MS - AHEAD_MS + 1_000)
    again = await desk.calls("back", TO_CALL)
    state = await desk.item("back")
    assert state is not None
    [explained] = (await desk.acd.explain("back")).offers  # type: ignore[union-attr]
    left_ms = AHEAD_MS - 1_000
    assert [offer.free_in_ms for offer in (*again.offers, *state.offers)] == [left_ms, left_ms]
    assert explained.ms == -left_ms
    await desk.passes(left_ms)
    assert (await desk.calls("back", TO_CALL)).offers[0].free_in_ms == 0


async def test_an_item_that_goes_away_leaves_the_wrap_up_as_it_was_and_the_place_to_be_earned(desk: Desk) -> None:
    await wraps_up(desk, ("back", TO_CALL))
    await desk.passes(WRAPUP_MS - AHEAD_MS)
    await desk.acd.withdraw("back", "cancelled")
    agent = await desk.agent("8001")
    assert ([hand.work for hand in agent.hands], agent.idle_since_ms, agent.ready) == ([Work.WRAPUP], 0, ())
    await desk.passes(AHEAD_MS)
    agent = await desk.agent("8001")
    assert (agent.idle_since_ms, agent.ready) == (desk.now_ms, ("voice",))


async def test_whose_customer_is_not_there_is_idle_since_their_wrap_up_was_over(desk: Desk) -> None:
    await wraps_up(desk, ("back", TO_CALL))
    await desk.passes(WRAPUP_MS)
    free_ms = desk.now_ms
    await desk.passes(9_000)
    await desk.acd.defer("back", 60_000, "no_answer")
    assert (await desk.agent("8001")).idle_since_ms == free_ms


async def test_the_lease_begins_when_the_agent_is_free(desk: Desk) -> None:
    await wraps_up(desk, ("back", TO_CALL))
    await desk.passes(WRAPUP_MS - AHEAD_MS)
    token = desk.last.token
    await desk.passes(AHEAD_MS + LEASE_MS - 1)
    assert await desk.journal("offer.missed") == []
    await desk.passes(1)
    [missed] = await desk.journal("offer.missed")
    assert (missed["token"], missed["reason"]) == (token, "lease")
    assert await desk.acd.position("back") == 1


async def test_an_engine_after_one_that_died_finds_it_and_gives_it_back(desk: Desk) -> None:
    await wraps_up(desk, ("back", TO_CALL))
    await desk.passes(WRAPUP_MS - AHEAD_MS)
    successor = Desk(desk.line, "two")
    successor.now_ms = desk.now_ms
    [state] = [state for state in await successor.acd.adopt("one") if state.id == "back"]
    [offer] = state.offers
    assert (offer.agent, offer.free_in_ms) == ("8001", AHEAD_MS)
    assert await successor.acd.miss(offer.token, Missed.FAILED, ring_ms=0) is True
    assert [hand.work for hand in (await desk.agent("8001")).hands] == [Work.WRAPUP]


async def test_who_is_not_to_have_it_is_not_reserved_for_it(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("before")
    await desk.acd.accept(desk.last.token)
    await desk.calls("back", TO_CALL, exclude={"8001": 60_000})
    await desk.acd.leave("before", reason="completed_by_caller")
    await desk.passes(WRAPUP_MS)
    assert desk.last.item == "before"


async def test_an_agent_who_is_removed_gives_it_back(desk: Desk) -> None:
    await wraps_up(desk, ("back", TO_CALL))
    await desk.passes(WRAPUP_MS - AHEAD_MS)
    await desk.acd.define({"8002": AgentTerms()}, [TO_CALL])
    assert [gone.reason for gone in desk.cancelled] == ["not_free"]
    assert await desk.acd.position("back") == 1


async def test_a_chat_that_still_goes_on_is_no_wrap_up(desk: Desk) -> None:
    await desk.acd.define({"8001": AgentTerms({}, {"voice": 1, "chat": 2})}, [TO_CALL, policy(kind="chat")])
    await desk.ready("8001")
    for chat in ("chat-1", "chat-2"):
        await desk.calls(chat, policy(kind="chat"))
        await desk.acd.accept(desk.last.token)
    await desk.calls("back", TO_CALL)
    await desk.acd.leave("chat-1", reason="completed_by_agent")
    await desk.passes(WRAPUP_MS)
    assert desk.last.item == "chat-2"
    await desk.acd.leave("chat-2", reason="completed_by_agent")
    await desk.passes(WRAPUP_MS - AHEAD_MS)
    assert (desk.last.item, desk.last.free_in_ms) == ("back", AHEAD_MS)
