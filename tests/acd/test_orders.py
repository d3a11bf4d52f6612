"""Which of the ready agents comes first."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from engine.acd import AgentTerms, Intent, Order
from tests.acd.desk import Desk, policy


async def _handles(desk: Desk, agent: str, talk_ms: int) -> None:
    item = f"own-{agent}-{desk.now_ms}"
    await desk.calls(item, policy(f"agent:{agent}", wrapup_ms=0))
    await desk.acd.accept(desk.last.token)
    await desk.passes(talk_ms)
    await desk.acd.leave(item, reason="completed")


async def _in_order(desk: Desk, order: Order, calls: int = 3, requirement: str = "any") -> list[str]:
    made = len(desk.offers)
    for number in range(calls):
        await desk.calls(f"{order}-{number}-{desk.now_ms}", policy(requirement, order=order, wrapup_ms=0))
    return [agent for _, agent in desk.offered()[made:]]


async def test_least_occupied_is_the_one_with_the_smallest_share_of_the_last_hours_at_work(desk: Desk) -> None:
    await desk.staff({"a": {}, "b": {}, "c": {}, "new": {}}, "any")
    await desk.acd.intern(policy("any", order=Order.LEAST_OCCUPIED))
    await _handles(desk, "a", 600_000)
    await desk.passes(4 * 3_600_000)
    await _handles(desk, "b", 60_000)
    await _handles(desk, "c", 20_000)
    assert await _in_order(desk, Order.LEAST_OCCUPIED, 4) == ["new", "a", "c", "b"], "what was long ago weighs little"


async def test_fewest_calls_counts_from_the_login_and_then_by_idle_time(desk: Desk) -> None:
    await desk.staff({"a": {}, "b": {}, "c": {}}, "any")
    await desk.acd.intern(policy("any", order=Order.FEWEST_CALLS))
    for agent in ("a", "a", "b", "c"):
        await _handles(desk, agent, 1_000)
    assert await _in_order(desk, Order.FEWEST_CALLS) == ["b", "c", "a"]
    await desk.acd.agent("c", intent=Intent.LOGGED_OUT)
    assert (await desk.agent("c")).calls == 1
    await desk.acd.agent("c", intent=Intent.READY)
    assert (await desk.agent("c")).calls == 0


async def test_most_proficient_goes_by_the_skills_that_are_asked_for_then_by_idle_time(desk: Desk) -> None:
    skills = {"a": {"sales": 2, "golf": 9}, "b": {"sales": 7}, "c": {"sales": 7}, "d": {"sales": 9}}
    await desk.staff(skills, "sales")
    assert await _in_order(desk, Order.MOST_PROFICIENT, 4, "sales") == ["d", "b", "c", "a"]


async def test_round_robin_is_the_one_whose_last_offer_is_longest_ago_answered_or_not(desk: Desk) -> None:
    await desk.staff({"a": {}, "b": {}, "c": {}}, "any")
    await desk.acd.intern(policy("any", order=Order.ROUND_ROBIN))
    for expected in ("a", "b", "c", "a", "b"):
        item = f"call-{desk.now_ms}"
        await desk.calls(item, policy("any", order=Order.ROUND_ROBIN))
        assert desk.last.agent == expected
        await desk.acd.withdraw(item, "abandoned_ringing")  # costs no place among the longest idle
        await desk.passes(1_000)


async def test_linear_is_always_the_first_of_the_list(desk: Desk) -> None:
    await desk.staff({"c": AgentTerms(rank=1), "a": AgentTerms(rank=3), "b": AgentTerms(rank=2)}, "any")
    assert await _in_order(desk, Order.LINEAR) == ["c", "b", "a"]


@pytest.mark.parametrize("order", [Order.RANDOM, Order.WEIGHTED])
async def test_chance_draws_each_as_often_as_their_weight_says(desk: Desk, order: Order) -> None:
    weights = {"a": 1, "b": 2, "c": 5, "d": 12}
    await desk.staff({id_: AgentTerms(weight=weight) for id_, weight in weights.items()}, "any")
    drawn: Counter[str] = Counter()
    for number in range(600):
        await desk.calls(f"call-{number}", policy("any", order=order))
        drawn[desk.last.agent] += 1
        await desk.acd.withdraw(f"call-{number}", "test")
    share = weights if order is Order.WEIGHTED else dict.fromkeys(weights, 1)
    expected = {id_: 600 * share[id_] / sum(share.values()) for id_ in weights}
    chi_square = sum((drawn[id_] - expected[id_]) ** 2 / expected[id_] for id_ in weights)
    assert chi_square < 21.1, f"{drawn}: p < 0.0001 with 3 degrees of freedom"


async def test_chance_finds_the_one_who_fits_among_many_who_do_not(desk: Desk) -> None:
    await desk.staff({f"80{number:02}": AgentTerms(weight=1 + number) for number in range(60)}, "any")
    excluded = {f"80{number:02}": 60_000 for number in range(59)}
    for order in (Order.RANDOM, Order.WEIGHTED):
        placement = await desk.calls(order, policy("any", order=order), exclude=excluded)
        assert [offer.agent for offer in placement.offers] == ["8059"]
        await desk.acd.withdraw(order, "test")


@pytest.mark.parametrize("order", Order)
async def test_with_several_items_at_once_the_one_with_the_fewest_comes_first(desk: Desk, order: Order) -> None:
    takes = {"chat": 3}
    staff = {name: AgentTerms({"chat": 9 - n}, takes, rank=n, weight=1 + 90 * n) for n, name in enumerate("abc")}
    await desk.staff(staff, "any")
    for number in range(9):
        await desk.calls(f"chat-{number}", policy("chat", kind="chat", order=order))
        await desk.acd.accept(desk.last.token)
    hands: Counter[str] = Counter()
    for _, agent in desk.offered():
        assert hands[agent] == min(hands[name] for name in "abc")
        hands[agent] += 1
    assert (await desk.calls("too many", policy("chat", kind="chat", order=order))).position == 1


async def test_agent_with_room_for_more_is_the_last_of_those_alike_after_each_answer(desk: Desk) -> None:
    await desk.staff({name: AgentTerms(takes={"chat": 4}) for name in "ab"}, "any")
    for number in range(6):
        await desk.calls(f"chat-{number}", policy("any", kind="chat", wrapup_ms=0))
        await desk.acd.accept(desk.last.token)
        await desk.passes(1_000)
        await desk.acd.leave(f"chat-{number}", reason="completed")
    assert all(one != other for one, other in pairwise(agent for _, agent in desk.offered()))
