"""What each way of missing an offer does to the caller, the agent and the phone."""

from __future__ import annotations

import pytest

from engine.acd import Device, Intent, Missed
from engine.acd.offer import TREATMENTS
from tests.acd.desk import LEASE_MS, Desk


async def test_missed_call_keeps_its_place_before_later_ones(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    for item in ("call-1", "call-2", "call-3"):
        await desk.calls(item)
    await desk.acd.agent("8001", intent=Intent.NOT_READY, reason="break")
    await desk.misses(Missed.NO_ANSWER)
    assert [await desk.acd.position(item) for item in ("call-1", "call-2", "call-3")] == [1, 2, 3]


async def test_next_agent_is_offered_in_the_same_step(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.misses(Missed.UNREACHABLE)
    assert desk.offered() == [("call", "8001"), ("call", "8002")]
    assert desk.last.attempt == 2


async def test_agent_who_missed_one_call_is_offered_the_next_caller(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call-1")
    await desk.calls("call-2")
    await desk.misses(Missed.NO_ANSWER)
    await desk.passes(5_000)  # no phone rings twice within 5 s
    assert desk.offered() == [("call-1", "8001"), ("call-2", "8001")]


@pytest.mark.parametrize("reason", Missed)
async def test_phone_does_not_ring_for_anybody_else_within_five_seconds_of_a_missed_offer(
    desk: Desk, reason: Missed
) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("missed")
    await desk.calls("next")
    if reason is Missed.DUMPED:
        await desk.acd.accept(desk.last.token)
    if reason is Missed.LEASE:
        await desk.passes(LEASE_MS)
    else:
        assert await desk.misses(reason)
    missed_at = desk.now_ms
    await desk.ready("8001")  # whoever had them not ready, or their phone for gone, is corrected at once
    await desk.passes(4_999)
    assert desk.offered() == [("missed", "8001")]
    gap_ms = round(TREATMENTS[reason].cool_s * 1000)
    await desk.passes(missed_at + gap_ms - desk.now_ms)
    assert len(desk.offers) == 2


async def test_phone_whose_caller_has_hung_up_rings_for_the_next_at_once(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.calls("next")
    await desk.acd.ringing(desk.last.token)
    await desk.acd.withdraw("call", "abandoned_ringing")
    assert desk.last.item == "next"


@pytest.mark.parametrize(
    ("reason", "same_call_after_ms", "other_call_after_ms"),
    [
        (Missed.BUSY, 10_000, 10_000),
        (Missed.REJECTED, 60_000, 5_000),
        (Missed.NO_ANSWER, 60_000, 5_000),
        (Missed.UNCONFIRMED, 60_000, 5_000),
        (Missed.FAILED, 5_000, 5_000),
    ],
)
async def test_only_agent_is_offered_again_when_exclusion_and_cool_down_end(
    desk: Desk, reason: Missed, same_call_after_ms: int, other_call_after_ms: int
) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.misses(reason)
    await desk.passes(same_call_after_ms - 1)
    assert desk.offered() == [("call", "8001")]
    await desk.passes(1)
    assert desk.offered() == [("call", "8001")] * 2

    await desk.acd.withdraw("call", "abandoned_ringing")
    await desk.calls("first")
    await desk.misses(reason)
    await desk.calls("other")
    assert desk.last.item == "first"
    await desk.passes(other_call_after_ms - 1)
    assert desk.last.item == "first"
    await desk.acd.withdraw("first", "abandoned_waiting")
    await desk.passes(1)
    assert desk.last.item == "other"


async def test_every_excluded_agent_gets_another_chance_in_their_time(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.misses(Missed.NO_ANSWER)
    await desk.passes(10_000)
    await desk.misses(Missed.NO_ANSWER)
    await desk.acd.agent("8001", intent=Intent.LOGGED_OUT)
    await desk.passes(50_000)
    assert len(desk.offers) == 2
    await desk.passes(10_000)
    assert desk.offered()[2:] == [("call", "8002")]


async def test_unreachable_agent_waits_for_a_device_event_and_is_not_blamed(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.misses(Missed.UNREACHABLE)
    await desk.passes(600_000)
    agent = await desk.agent("8001")
    assert (agent.device, agent.intent, agent.misses) == (Device.DOWN, Intent.READY, 0)
    assert len(desk.offers) == 1
    await desk.acd.agent("8001", device=Device.IDLE)
    assert len(desk.offers) == 2


async def test_phone_that_flaps_is_not_offered_the_same_call_in_a_tight_loop(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.misses(Missed.UNREACHABLE)
    await desk.acd.agent("8001", device=Device.IDLE)
    assert len(desk.offers) == 1
    await desk.passes(5_000)
    assert len(desk.offers) == 2


async def test_third_ignored_offer_in_a_row_sets_the_agent_not_ready(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    for number in range(3):
        await desk.calls(f"call-{number}")
    for number in range(3):
        assert (await desk.agent("8001")).intent == Intent.READY
        assert desk.last.item == f"call-{number}"
        await desk.misses(Missed.NO_ANSWER)
        await desk.passes(5_000)
    agent = await desk.agent("8001")
    assert (agent.intent, agent.reason, agent.work) == (Intent.NOT_READY, "rona", "idle")
    await desk.ready("8001")
    assert (await desk.agent("8001")).misses == 0


async def test_answered_call_starts_the_count_of_ignored_offers_anew(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    for _ in range(3):
        for item in ("a", "b"):
            await desk.calls(item)
            await desk.misses(Missed.NO_ANSWER)
            await desk.acd.withdraw(item, "abandoned_waiting")
        await desk.calls("answered", wrapup_ms=0)
        await desk.acd.accept(desk.last.token)
        await desk.acd.leave("answered", reason="completed_by_agent")
    assert (await desk.agent("8001")).intent == Intent.READY


async def test_refusals_are_not_counted_as_ignored(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    for number in range(5):
        await desk.calls(f"call-{number}")
        await desk.misses(Missed.REJECTED)
        await desk.acd.withdraw(f"call-{number}", "abandoned_waiting")
        await desk.passes(5_000)
    assert (await desk.agent("8001")).intent == Intent.READY


@pytest.mark.parametrize(
    ("reason", "keeps_place"),
    [(Missed.FAILED, True), (Missed.BUSY, False), (Missed.REJECTED, False), (Missed.NO_ANSWER, False)],
)
async def test_place_among_the_longest_idle_is_lost_by_own_doing_only(
    desk: Desk, reason: Missed, keeps_place: bool
) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.misses(reason)
    await desk.acd.withdraw("call", "abandoned_ringing")
    await desk.passes(10_000)
    await desk.calls("next")
    assert desk.last.agent == ("8001" if keeps_place else "8002")


async def test_lapsed_lease_puts_the_call_back_and_frees_the_agent(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.passes(LEASE_MS - 1)
    assert desk.offered() == [("call", "8001")]
    await desk.passes(1)
    assert desk.offered() == [("call", "8001"), ("call", "8002")]
    assert (await desk.agent("8001")).work == "idle"
    [missed] = await desk.journal("offer.missed")
    assert (missed["reason"], missed["agent"], missed["ring_ms"]) == ("lease", "8001", 0)


async def test_lease_ends_with_the_answer(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.acd.accept(desk.last.token)
    await desk.passes(10 * LEASE_MS)
    item = await desk.item("call")
    assert item is not None
    assert item.state == "talking"


async def test_agent_who_answers_and_is_gone_before_the_bridge_costs_the_caller_no_place(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.acd.accept(desk.last.token)
    assert await desk.misses(Missed.DUMPED) is True
    assert desk.offered() == [("call", "8001"), ("call", "8002")]
    assert (await desk.agent("8001")).misses == 1


async def test_journal_tells_cause_and_ringing_time(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.acd.miss(desk.last.token, Missed.BUSY, cause=17, tech_cause=486, ring_ms=120)
    [missed] = await desk.journal("offer.missed")
    assert missed == {
        "type": "offer.missed",
        "call": "call",
        "at": desk.now_ms,
        "token": desk.last.token,
        "agent": "8001",
        "reason": "busy",
        "cause": 17,
        "tech_cause": "486",
        "ring_ms": 120,
    }
