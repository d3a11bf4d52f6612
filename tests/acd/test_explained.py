"""Everything is explained: what offer.created and item.enqueued tell, and the snapshots."""

from __future__ import annotations

from engine.acd import Device, Intent, Missed, QueueState
from tests.acd.desk import Desk


async def test_offer_names_the_candidates_in_order(desk: Desk) -> None:
    await desk.staff({f"800{number}": {} for number in range(1, 8)}, "any")
    await desk.calls("call")
    [created] = await desk.journal("offer.created")
    assert created["candidates"] == [
        {"agent": f"800{number}", "idle_ms": 8_000 - number * 1_000} for number in range(1, 6)
    ]
    assert created["passed"] == []
    assert (created["idle_ms"], created["wait_ms"], created["attempt"]) == (7_000, 0, 1)
    assert (created["queue"], created["requirement"], created["token"]) == ("sales", "any", desk.last.token)


async def test_offer_tells_why_the_others_were_passed_over(desk: Desk) -> None:
    everybody = ("away", "busy", "cooling", "down", "fit", "out", "reserved", "talking", "wrapping")
    await desk.staff({agent: {"sales": 1} for agent in everybody}, "sales", "any", ready=False)

    async def takes_call_of_their_own(agent: str) -> None:
        await desk.ready(agent)
        await desk.calls(f"of-{agent}", f"agent:{agent}")
        assert desk.last.agent == agent

    await takes_call_of_their_own("reserved")
    await takes_call_of_their_own("talking")
    await desk.acd.accept(desk.last.token)
    await takes_call_of_their_own("wrapping")
    await desk.acd.accept(desk.last.token)
    await desk.acd.leave("of-wrapping", reason="completed_by_caller")
    await takes_call_of_their_own("cooling")
    await desk.misses(Missed.BUSY)
    await desk.acd.agent("away", intent=Intent.NOT_READY, device=Device.IDLE)
    await desk.acd.agent("busy", intent=Intent.READY, device=Device.BUSY)
    await desk.acd.agent("down", intent=Intent.READY)
    await desk.ready("fit")
    await desk.calls("call", "sales")
    created = (await desk.journal("offer.created"))[-1]
    assert [candidate["agent"] for candidate in created["candidates"]] == ["fit"]
    assert {row["agent"]: row["why"] for row in created["passed"]} == {
        "away": "not_ready",
        "busy": "busy",
        "cooling": "cooldown",
        "down": "device_down",
        "out": "logged_out",
        "reserved": "busy",
        "talking": "busy",
        "wrapping": "wrapup",
    }


async def test_agent_who_missed_the_call_is_named_as_excluded(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.misses(Missed.NO_ANSWER)
    created = (await desk.journal("offer.created"))[-1]
    assert created["passed"] == [{"agent": "8001", "why": "excluded"}]


async def test_enqueued_tells_place_and_ready_agents(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    for number in range(3):
        await desk.calls(f"call-{number}")
    events = await desk.journal("item.enqueued")
    assert [(event["position"], event["ready"]) for event in events] == [(0, 2), (0, 1), (1, 0)]
    assert events[0]["requirement"] == "any"


async def test_one_calls_events_tell_its_story_in_order(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.acd.ringing(desk.last.token)
    await desk.passes(7_000)
    await desk.acd.miss(desk.last.token, Missed.NO_ANSWER, cause=19, ring_ms=7_000)
    await desk.passes(100)
    await desk.acd.ringing(desk.last.token)
    await desk.passes(3_000)
    await desk.acd.accept(desk.last.token)
    await desk.acd.leave("call", reason="completed_by_agent")
    await desk.passes(10_000)
    story = [event for event in await desk.journal() if event["call"] == "call"]
    assert [event["type"] for event in story] == [
        "item.enqueued",
        "offer.created",
        "offer.ringing",
        "offer.missed",
        "offer.created",
        "offer.ringing",
        "offer.accepted",
        "item.ended",
        "wrapup.started",
        "wrapup.ended",
    ]
    assert (story[6]["wait_ms"], story[6]["ring_ms"], story[5]["ms"]) == (10_100, 3_000, 100)


async def test_queues_show_waiting_oldest_and_ready(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}, "8002": {"sales": 1, "service": 1}}, "sales", "service")
    await desk.acd.agent("8002", intent=Intent.NOT_READY)
    await desk.calls("call-1", "service", queue="service")
    await desk.passes(5_000)
    await desk.calls("vip", "service", queue="service", head_start_ms=60_000)
    await desk.calls("call-2", "sales", queue="sales")
    await desk.acd.withdraw("call-2", "abandoned_ringing")
    assert await desk.acd.queues() == [
        QueueState("sales", "sales", waiting=0, oldest_wait_ms=0, ready=1, staffed=1, present=2),
        QueueState("service", "service", waiting=2, oldest_wait_ms=5_000, ready=0, staffed=0, present=1),
    ]


async def test_agents_are_listed_beyond_one_slice(desk: Desk) -> None:
    names = [f"8{number:03}" for number in range(401)]
    await desk.staff({name: {} for name in names}, ready=False)
    assert [state.id for state in await desk.acd.agents()] == names
