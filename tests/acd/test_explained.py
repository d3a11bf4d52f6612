"""Everything is explained: what offer.created and item.enqueued tell, and the snapshots."""

from __future__ import annotations

import math
from typing import Any

import pytest

from engine.acd import AgentTerms, Device, Intent, Missed, Order, Policy, QueueState, Step
from tests.acd.desk import LEASE_MS, Desk, policy


async def test_offer_names_the_candidates_in_order(desk: Desk) -> None:
    await desk.staff({f"800{number}": {} for number in range(1, 8)}, "any")
    await desk.calls("call")
    [created] = await desk.journal("offer.created")
    assert created["candidates"] == [
        {"agent": f"800{number}", "idle_ms": 8_000 - number * 1_000} for number in range(1, 6)
    ]
    assert created.keys().isdisjoint({"passed", "by", "order", "step", "head_start_ms", "strict", "urgent"}), (
        "as always"
    )
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


# --- by what they were chosen ------------------------------------------------------------------------------------


def chosen_by(created: dict[str, Any]) -> tuple[str, int]:
    return created.get("by", ""), created.get("prefer", 0)


async def offered(desk: Desk, item: str) -> dict[str, Any]:
    """The last decision about it."""
    return next(event for event in reversed(await desk.journal("offer.created")) if event["call"] == item)


async def test_a_preferred_agent_is_said_to_have_been_preferred_to_those_whom_the_order_has_first(desk: Desk) -> None:
    await desk.staff({name: {} for name in ("8001", "8002", "8003")}, "any")
    await desk.calls("call", preferred="8003")
    created = await offered(desk, "call")
    assert chosen_by(created) == ("preferred", 0)
    assert created["candidates"] == [
        {"agent": "8003", "idle_ms": 1_000},
        {"agent": "8001", "idle_ms": 3_000},
        {"agent": "8002", "idle_ms": 2_000},
    ]


async def test_a_preferred_agent_far_behind_in_the_order_is_told_with_their_value(desk: Desk) -> None:
    await desk.staff({f"80{number:02}": AgentTerms(rank=number) for number in range(9)}, "any")
    await desk.calls("call", policy("any", order=Order.LINEAR), preferred="8008")
    ranks = [(each["agent"], each["rank"]) for each in (await offered(desk, "call"))["candidates"]]
    assert ranks == [("8008", 8), ("8000", 0), ("8001", 1), ("8002", 2), ("8003", 3)]


async def test_a_preferred_agent_who_was_waited_for_is_said_to_be_preferred(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.acd.agent("8001", device=Device.BUSY)
    await desk.calls("call", preferred="8001", patience_ms=60_000)
    await desk.ready("8001")
    created = await offered(desk, "call")
    assert (created["agent"], chosen_by(created), created["step"]) == ("8001", ("preferred", 0), 0)
    await desk.acd.withdraw("call", "abandoned")
    await desk.calls("at once", preferred="8001", patience_ms=60_000)
    assert chosen_by(await offered(desk, "at once")) == ("preferred", 0)


async def test_a_step_says_which_of_its_preferences_was_met_and_who_was_ready_and_met_none(desk: Desk) -> None:
    skills = {"plain": {"sales": 1}, "speaks": {"sales": 1, "mandarin": 3}, "too": {"sales": 1, "mandarin": 4}}
    await desk.staff(skills, "sales")
    prefers = Policy((Step(0, "sales", ("mandarin>=8", "mandarin")),), LEASE_MS, 0)
    await desk.calls("call", prefers)
    created = await offered(desk, "call")
    assert chosen_by(created) == ("prefer", 2)
    assert created["candidates"] == [{"agent": "speaks", "idle_ms": 2_000}, {"agent": "too", "idle_ms": 1_000}]
    assert created["passed"] == [{"agent": "plain", "why": "less_preferred"}]
    await desk.calls("next", prefers)
    await desk.calls("last", prefers)
    assert chosen_by(await offered(desk, "last")) == ("", 0), "nobody was left whom a preference names"


@pytest.mark.parametrize("order", [Order.LONGEST_IDLE, Order.RANDOM])
async def test_where_many_meet_a_preference_only_who_does_not_is_said_to_be_less_preferred(
    desk: Desk, order: Order
) -> None:
    await desk.staff({"8001": {"sales": 9}} | {f"800{n}": {"sales": 1, "mandarin": 1} for n in range(2, 9)}, "sales")
    await desk.calls("call", Policy((Step(0, "sales", ("mandarin",)),), LEASE_MS, 0, order=order))
    created = await offered(desk, "call")
    assert len(created["candidates"]) == 5
    assert created["passed"] == [{"agent": "8001", "why": "less_preferred"}]


async def test_who_was_given_it_by_hand_is_said_to_have_been(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}, "8002": {}}, "sales", ready=False)
    await desk.calls("call", "sales")
    await desk.ready("8002")
    await desk.acd.assign("call", "8002", actor="anna")
    created = await offered(desk, "call")
    assert (created["agent"], chosen_by(created)) == ("8002", ("hand", 0))


async def test_who_came_free_and_took_what_waited_is_said_to_have_been_no_choice_of_the_order(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any", ready=False)
    await desk.calls("call", policy("any", order=Order.LINEAR))
    await desk.ready("8002")
    created = await offered(desk, "call")
    assert (created["agent"], chosen_by(created)) == ("8002", ("free", 0))
    assert created["passed"] == [{"agent": "8001", "why": "logged_out"}]


# --- by which value ----------------------------------------------------------------------------------------------


async def decided(desk: Desk, order: Order, requirement: str = "any") -> list[tuple[Any, ...]]:
    """The candidates, each with what stands beside their name."""
    await desk.calls(f"by-{order}", policy(requirement, order=order))
    created = await offered(desk, f"by-{order}")
    assert (created["order"], chosen_by(created)) == (order, ("", 0))
    assert created["candidates"][0]["agent"] == created["agent"]
    return [(each.pop("agent"), each) for each in created["candidates"]]


async def handles(desk: Desk, agent: str, talk_ms: int) -> None:
    item = f"of-{agent}-{desk.now_ms}"
    await desk.calls(item, policy(f"agent:{agent}", wrapup_ms=0))
    await desk.acd.accept(desk.last.token)
    await desk.passes(talk_ms)
    await desk.acd.leave(item, reason="completed")


async def test_fewest_calls_tells_everybodys_calls_and_for_how_long_they_are_idle(desk: Desk) -> None:
    await desk.staff({"a": {}, "b": {}, "c": {}}, "any")
    await desk.acd.intern(policy("any", order=Order.FEWEST_CALLS))
    for agent in ("a", "a", "b"):
        await handles(desk, agent, 1_000)
    assert await decided(desk, Order.FEWEST_CALLS) == [
        ("c", {"calls": 0, "idle_ms": 4_000}),
        ("b", {"calls": 1, "idle_ms": 0}),
        ("a", {"calls": 2, "idle_ms": 1_000}),
    ]


async def test_most_proficient_tells_the_proficiency_in_what_is_required(desk: Desk) -> None:
    skills = {"a": {"sales": 2}, "b": {"sales": 7, "golf": 9}, "c": {"sales": 7}, "d": {"sales": 90}}
    await desk.staff(skills, "sales")
    assert await decided(desk, Order.MOST_PROFICIENT, "sales") == [
        ("d", {"proficiency": 90, "idle_ms": 1_000}),
        ("b", {"proficiency": 7, "idle_ms": 3_000}),
        ("c", {"proficiency": 7, "idle_ms": 2_000}),
        ("a", {"proficiency": 2, "idle_ms": 4_000}),
    ]


async def test_least_occupied_tells_the_time_at_work_in_about_the_last_hour(desk: Desk) -> None:
    await desk.staff({"a": {}, "b": {}, "new": {}}, "any")
    await desk.acd.intern(policy("any", order=Order.LEAST_OCCUPIED))
    await handles(desk, "a", 600_000)
    await handles(desk, "b", 60_000)
    await desk.passes(3_600_000)
    told = await decided(desk, Order.LEAST_OCCUPIED)
    assert told[0] == ("new", {"busy_ms": 0, "idle_ms": 4_261_000})
    assert [name for name, _ in told] == ["new", "b", "a"]
    assert told[1][1]["busy_ms"] == pytest.approx(60_000 / math.e, abs=2)
    assert told[2][1]["busy_ms"] == pytest.approx(600_000 / math.e * math.exp(-1 / 60), abs=2)


async def test_round_robin_tells_the_number_of_everybodys_last_offer(desk: Desk) -> None:
    await desk.staff({"a": {}, "b": {}, "new": {}}, "any")
    await desk.acd.intern(policy("any", order=Order.ROUND_ROBIN))
    numbers = {}
    for agent in ("b", "a"):
        await handles(desk, agent, 1_000)
        numbers[agent] = int(desk.last.token.partition("-")[0])
    assert await decided(desk, Order.ROUND_ROBIN) == [
        ("new", {"last_offer": 0}),
        ("b", {"last_offer": numbers["b"]}),
        ("a", {"last_offer": numbers["a"]}),
    ]


async def test_linear_tells_everybodys_place_in_the_list(desk: Desk) -> None:
    await desk.staff({"a": AgentTerms(rank=4), "b": AgentTerms(rank=0)}, "any")
    assert await decided(desk, Order.LINEAR) == [("b", {"rank": 0}), ("a", {"rank": 4})]


async def test_chance_tells_among_whom_it_drew_and_by_which_weights(desk: Desk) -> None:
    await desk.staff({name: AgentTerms(weight=weight) for name, weight in {"a": 1, "b": 50}.items()}, "any")
    assert dict(await decided(desk, Order.WEIGHTED)) == {"a": {"weight": 1}, "b": {"weight": 50}}
    await desk.acd.withdraw("by-weighted", "test")
    assert dict(await decided(desk, Order.RANDOM)) == {"a": {}, "b": {}}


@pytest.mark.parametrize("order", Order)
async def test_what_they_had_at_hand_is_told_as_it_comes_before_every_order(desk: Desk, order: Order) -> None:
    await desk.staff({name: AgentTerms({"chat": 5}, {"chat": 5}, rank=2, weight=3) for name in "abc"}, "any")
    terms = policy("chat", kind="chat", order=order)
    for number in range(5):
        await desk.calls(f"chat-{number}", terms)
        await desk.acd.accept(desk.last.token)
        await desk.passes(1_000)
    await desk.calls("chat", terms)
    created = await offered(desk, "chat")
    assert sorted(each.get("at_hand", 0) for each in created["candidates"]) == [1, 2, 2]
    assert created["candidates"][0].get("at_hand") == 1
    for each in created["candidates"]:
        assert each.get("calls", 1) in {1, 2}
        assert each.get("proficiency", 5) == 5
        assert (each.get("rank", 2), each.get("weight", 3)) == (2, 3)
        assert 0 <= each.get("idle_ms", 0) <= 8_000
        assert each.get("last_offer", 0) <= int(created["token"].partition("-")[0])


# --- the score ---------------------------------------------------------------------------------------------------


async def test_head_start_level_and_urgency_are_told_where_there_are_any(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    terms = policy("any", head_start_ms=60_000, strict=1, served_within_ms=300_000, wrapup_ms=0)
    for waited_ms, urgent in ((0, {}), (300_000, {"urgent": True})):
        item = f"waited-{waited_ms}"
        await desk.calls(item, terms, head_start_ms=5_000, strict=2, waited_ms=waited_ms)
        created = await offered(desk, item)
        told = {name: created[name] for name in ("head_start_ms", "strict", "urgent") if name in created}
        assert told == {"head_start_ms": 65_000, "strict": 3, **urgent}
        await desk.acd.withdraw(item, "test")
    [queued, _] = await desk.journal("item.enqueued")
    assert (queued["head_start_ms"], queued["strict"]) == (65_000, 3)


async def test_the_wait_ends_with_the_answer_and_nothing_is_to_come(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    terms = policy("any", "any", after=(60_000,), max_wait_ms=900_000, served_within_ms=100_000)
    await desk.calls("call", terms)
    await desk.passes(7_000)
    waits = await desk.acd.explain("call")
    assert waits is not None
    assert (waits.waited_ms, waits.talking_ms, waits.limit_in_ms) == (7_000, -1, 893_000)
    assert {agent.agent: agent.why for agent in waits.agents} == {"8001": "rings", "8002": ""}
    await desk.acd.accept(desk.last.token)
    await desk.passes(600_000)
    talks = await desk.acd.explain("call")
    assert talks is not None
    assert (talks.waited_ms, talks.talking_ms, talks.urgent) == (7_000, 600_000, False)
    assert (talks.limit_in_ms, talks.next_step_in_ms) == (-1, -1)
    assert {agent.agent: agent.why for agent in talks.agents} == {"8001": "talking", "8002": ""}


# -----------------------------------------------------------------------------------------------------------------


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
