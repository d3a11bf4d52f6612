"""Several phones at once: the first to answer has the caller, and nobody else has anything to pay."""

from __future__ import annotations

import pytest

from engine.acd import Device, Missed
from tests.acd.desk import LEASE_MS, Desk, policy

STAFF = {f"800{n}": {"sales": 1} for n in range(1, 5)}


def rings(desk: Desk, item: str) -> set[str]:
    return {agent for offered, agent in desk.offered() if offered == item}


@pytest.mark.parametrize(("ring", "phones"), [(1, 1), (3, 3), (0, 4)])
async def test_as_many_phones_ring_as_the_queue_says(desk: Desk, ring: int, phones: int) -> None:
    await desk.staff(STAFF, "sales")
    placement = await desk.calls("call", policy("sales", ring=ring))
    assert len({offer.agent for offer in placement.offers}) == len(placement.offers) == phones


async def test_two_phones_answer_and_the_first_has_the_caller(desk: Desk) -> None:
    await desk.staff(STAFF, "sales")
    placement = await desk.calls("call", policy("sales", ring=2))
    first, second = placement.offers
    assert await desk.acd.accept(second.token) is True
    assert await desk.acd.accept(first.token) is False
    item = await desk.item("call")
    assert item is not None
    assert (item.state, item.agent) == ("talking", second.agent)
    [cancelled] = await desk.journal("offer.cancelled")
    assert (cancelled["agent"], cancelled["reason"]) == (first.agent, "answered_elsewhere")


async def test_who_lost_keeps_their_place_among_the_longest_idle_and_is_not_blamed(desk: Desk) -> None:
    await desk.staff(STAFF, "sales")
    placement = await desk.calls("call", policy("sales", ring=2))
    await desk.acd.accept(placement.offers[1].token)
    state = await desk.agent("8001")
    assert (state.work, state.misses, state.cool_until_ms) == ("idle", 0, 0)
    await desk.calls("next", "sales")
    assert desk.last.agent == "8001"


async def test_agent_who_becomes_ready_rings_along_until_enough_do(desk: Desk) -> None:
    await desk.staff(STAFF, "sales", ready=False)
    await desk.calls("call", policy("sales", ring=2))
    for agent in ("8001", "8002", "8003"):
        await desk.ready(agent)
    assert rings(desk, "call") == {"8001", "8002"}
    await desk.acd.miss(desk.offers[0].token, Missed.NO_ANSWER, ring_ms=0)
    assert rings(desk, "call") == {"8001", "8002", "8003"}


async def test_one_of_several_missing_leaves_the_others_ringing_and_the_caller_out_of_the_queue(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    placement = await desk.calls("call", policy("any", ring=0))
    await desk.acd.miss(placement.offers[0].token, Missed.REJECTED, ring_ms=0)
    assert await desk.acd.position("call") == 0
    assert await desk.acd.accept(placement.offers[1].token) is True


async def test_lapsed_lease_of_one_phone_leaves_the_others(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any", ready=False)
    await desk.ready("8001")
    await desk.calls("call", policy("any", ring=2))
    await desk.passes(LEASE_MS // 2)
    await desk.ready("8002")
    await desk.passes(LEASE_MS // 2)
    item = await desk.item("call")
    assert item is not None
    assert [offer.agent for offer in item.offers] == ["8002"]


async def test_caller_who_hangs_up_frees_everybody_at_their_places(desk: Desk) -> None:
    await desk.staff(STAFF, "sales")
    await desk.calls("call", policy("sales", ring=0))
    await desk.acd.withdraw("call", "abandoned_ringing")
    for number in range(4):
        await desk.calls(f"next-{number}", "sales")
    assert [agent for item, agent in desk.offered() if item != "call"] == ["8001", "8002", "8003", "8004"]


async def test_past_its_limit_an_item_rings_to_its_end_and_no_further_phone_begins(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any", ready=False)
    await desk.ready("8001")
    await desk.calls("call", policy("any", ring=2, max_wait_ms=10_000))
    await desk.passes(10_000)
    assert desk.released == []
    await desk.ready("8002")
    assert desk.offered() == [("call", "8001")]
    assert await desk.acd.accept(desk.last.token) is True


async def test_item_given_by_hand_rings_at_that_agent_alone_whatever_else_falls_due(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}, "8003": {}}, "any", ready=False)
    terms = policy("any", "any", after=(5_000,), ring=0, served_within_ms=4_000)
    await desk.calls("call", terms, exclude={"8003": 3_000})
    for agent in ("8001", "8002", "8003"):
        await desk.acd.agent(agent, device=Device.IDLE)
    assert await desk.acd.assign("call", "8002", actor="anna") == "logged_out"
    await desk.ready("8002")
    assert await desk.acd.assign("call", "8002", actor="anna") == "rings"
    await desk.acd.withdraw("call", "test")
    await desk.ready("8001")
    await desk.ready("8003")
    await desk.calls("held", terms, hold_ms=60_000)
    assert await desk.acd.assign("held", "8002", actor="anna") == ""
    await desk.passes(LEASE_MS - 1)
    assert rings(desk, "held") == {"8002"}
    await desk.misses(Missed.NO_ANSWER)
    assert rings(desk, "held") == {"8001", "8002", "8003"}, "then as its queue says"
