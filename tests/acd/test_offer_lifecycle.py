"""Redis obeys the life-cycle table: every event in every state, and a stale token in none."""

from __future__ import annotations

import itertools

import pytest

from engine.acd import Missed
from engine.acd.offer import TRANSITIONS, OfferEvent, OfferState
from tests.acd.desk import LEASE_MS, Desk

LIVE = [OfferState.OFFERED, OfferState.RINGING, OfferState.ACCEPTED]


async def _bring_about(desk: Desk, event: OfferEvent, token: str) -> bool:
    item = token.partition("-")[2]
    match event:
        case OfferEvent.RING:
            return await desk.acd.ringing(token)
        case OfferEvent.ACCEPT:
            return await desk.acd.accept(token)
        case OfferEvent.MISS:
            return await desk.acd.miss(token, Missed.NO_ANSWER, ring_ms=0)
        case OfferEvent.FAIL:
            return await desk.acd.miss(token, Missed.FAILED, ring_ms=0)
        case OfferEvent.DUMP:
            return await desk.acd.miss(token, Missed.DUMPED, ring_ms=0)
        case OfferEvent.CANCEL:
            return await desk.acd.withdraw(item, "caller left")
        case OfferEvent.LEAVE:
            return await desk.acd.leave(item, reason="completed_by_agent")
        case OfferEvent.LAPSE:
            await desk.passes(LEASE_MS)
            return bool(await desk.journal("offer.missed"))


async def _offer_in(desk: Desk, state: OfferState) -> str:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    if state is not OfferState.OFFERED:
        await desk.acd.ringing(desk.last.token)
    if state is OfferState.ACCEPTED:
        await desk.acd.accept(desk.last.token)
    return desk.last.token


@pytest.mark.parametrize(("state", "event"), list(itertools.product(LIVE, OfferEvent)))
async def test_event_happens_where_the_table_allows_it_and_changes_nothing_elsewhere(
    desk: Desk, state: OfferState, event: OfferEvent
) -> None:
    token = await _offer_in(desk, state)
    before = (await desk.item("call"), await desk.agent("8001"), await desk.journal())
    after = TRANSITIONS.get((state, event))
    assert await _bring_about(desk, event, token) is (after is not None)
    if after in (None, state):
        assert (await desk.item("call"), await desk.agent("8001"), await desk.journal()) == before
        return
    item, agent = await desk.item("call"), await desk.agent("8001")
    match after:
        case OfferState.RINGING | OfferState.ACCEPTED:
            assert item is not None
            assert (item.token, item.agent) == (token, "8001")
            assert agent.work == ("ringing" if after is OfferState.RINGING else "talking")
        case OfferState.MISSED:
            assert item is not None
            assert (item.state, item.token, agent.work) == ("waiting", "", "idle")
        case OfferState.CANCELLED:
            assert (item, agent.work) == (None, "idle")
        case OfferState.CLOSED:
            assert (item, agent.work) == (None, "wrapup")


@pytest.mark.parametrize(
    "event", [OfferEvent.RING, OfferEvent.ACCEPT, OfferEvent.MISS, OfferEvent.FAIL, OfferEvent.DUMP]
)
async def test_token_of_an_earlier_offer_of_the_same_item_is_refused(desk: Desk, event: OfferEvent) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    stale = desk.last.token
    await desk.misses(Missed.REJECTED)
    assert desk.offered() == [("call", "8001"), ("call", "8002")]
    assert await _bring_about(desk, event, stale) is False
    assert (await desk.agent("8002")).work == "reserved"


@pytest.mark.parametrize("token", ["", "7", "call", "1-call", "9999999999999999-call", "1700000000000001-", "-"])
async def test_nonsense_token_is_refused(desk: Desk, token: str) -> None:
    await _offer_in(desk, OfferState.RINGING)
    assert await desk.acd.accept(token) is False
    assert await desk.acd.miss(token, Missed.BUSY, ring_ms=0) is False


async def test_token_of_an_ended_call_is_refused_when_the_same_call_queues_again(desk: Desk) -> None:
    stale = await _offer_in(desk, OfferState.OFFERED)
    await desk.acd.withdraw("call", "to another queue")
    await desk.calls("call", queue="service")
    assert await desk.acd.accept(stale) is False
    assert await desk.acd.accept(desk.last.token) is True
    assert desk.last.token > stale


async def test_tokens_keep_growing_after_redis_lost_everything(desk: Desk) -> None:
    before = await _offer_in(desk, OfferState.OFFERED)
    await desk.line.call("FLUSHALL")
    await desk.passes(1)
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    assert desk.last.token > before
