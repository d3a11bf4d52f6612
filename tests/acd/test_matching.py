from __future__ import annotations

import pytest

from engine.acd import AgentTerms, Intent, Missed, RequirementError
from tests.acd import inside
from tests.acd.desk import Desk, policy


async def test_longest_idle_agent_gets_the_call(desk: Desk) -> None:
    await desk.staff({"8003": {}, "8001": {}, "8002": {}}, "any")
    for number in range(3):
        await desk.calls(f"call-{number}")
    assert desk.offered() == [("call-0", "8003"), ("call-1", "8001"), ("call-2", "8002")]


async def test_only_an_agent_with_the_skills_gets_the_call(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 2}, "8002": {"sales": 5}}, "sales>=3")
    await desk.calls("call-1", "sales>=3")
    assert (await desk.calls("call-2", "sales>=3")).position == 1
    assert desk.offered() == [("call-1", "8002")]


async def test_fit_agent_behind_many_unfit_ones_is_found(desk: Desk) -> None:
    crowd = {f"7{number:03}": {"chat": 1} for number in range(300)}
    await desk.staff({**crowd, "8001": {"chat": 1, "billing": 1}}, "chat", "billing", ready=False)
    for agent in [*crowd, "8001"]:
        await desk.ready(agent)
        desk.now_ms += 1
    placement = await desk.calls("call", "billing")
    assert placement.offer is not None
    assert placement.offer.agent == "8001"


async def test_agent_behind_many_excluded_ones_is_found(desk: Desk) -> None:
    await desk.staff({f"80{number:02}": {} for number in range(12)}, "any")
    await desk.calls("call")
    for _ in range(11):
        await desk.misses(Missed.NO_ANSWER)
    assert [agent for _, agent in desk.offered()] == [f"80{number:02}" for number in range(12)]


async def test_agent_gets_the_oldest_call_over_all_requirements_they_meet(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1, "service": 1}}, "sales", "service", "any", "billing", ready=False)
    for item, requirement in [("x", "billing"), ("b", "service"), ("c", "any"), ("a", "sales")]:
        await desk.calls(item, requirement, wrapup_ms=0)
        await desk.passes(10)
    await desk.ready("8001")
    for item in ("b", "c", "a"):
        assert desk.last.item == item
        await desk.acd.accept(desk.last.token)
        await desk.acd.leave(item, reason="completed_by_agent")
    assert len(desk.offers) == 3


async def test_calls_of_the_same_millisecond_keep_their_order(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}}, "any", "sales", ready=False)
    items = [f"call-{number}" for number in (3, 1, 2, 9, 0)]
    for number, item in enumerate(items):
        assert (await desk.calls(item, ["any", "sales"][number % 2], wrapup_ms=0)).position == number + 1
    await desk.ready("8001")
    for item in items:
        assert desk.last.item == item
        await desk.acd.accept(desk.last.token)
        await desk.acd.leave(item, reason="completed_by_agent")


async def test_head_start_counts_as_time_waited_and_starves_nobody(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("early")
    await desk.passes(20_000)
    await desk.calls("late")
    await desk.passes(5_000)
    vip = await desk.calls("vip", head_start_ms=10_000)
    assert vip.position == 2
    assert [await desk.acd.position(item) for item in ("early", "vip", "late")] == [1, 2, 3]


async def test_preferred_agent_is_taken_when_ready_and_not_waited_for(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call-1", preferred="8002")
    await desk.calls("call-2", preferred="8002")
    assert desk.offered() == [("call-1", "8002"), ("call-2", "8001")]


async def test_preferred_agent_must_meet_the_requirement(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}, "8002": {}}, "sales")
    await desk.calls("call", "sales", preferred="8002")
    assert desk.offered() == [("call", "8001")]


async def test_requirement_seen_first_with_a_call_is_usable_at_once(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}, "8002": {"sales": 1, "latin": 4}}, "sales")
    placement = await desk.calls("call", "latin>=3 & sales")
    assert placement.offer is not None
    assert placement.offer.agent == "8002"
    await desk.acd.withdraw("call", "abandoned_ringing")
    assert (await desk.calls("call-2", "latin>=3 & sales")).offer is not None


async def test_unreadable_requirement_is_refused_before_redis(desk: Desk) -> None:
    with pytest.raises(RequirementError):
        await desk.calls("call", "sales >=")


async def test_enqueue_repeated_tells_the_same_again(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    first = await desk.calls("call-1")
    assert await desk.calls("call-1") == first
    waiting = await desk.calls("call-2")
    assert waiting.position == 1
    assert await desk.calls("call-2") == waiting
    assert len(await desk.journal("item.enqueued")) == 2


async def test_position_counts_the_waiting_of_the_queue(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("call-1", queue="sales")
    await desk.calls("call-2", queue="service")
    await desk.calls("call-3", queue="sales")
    assert [await desk.acd.position(f"call-{number}") for number in (1, 2, 3)] == [1, 1, 2]
    await desk.ready("8001")
    assert await desk.acd.position("call-1") == 0
    assert await desk.acd.position("call-3") == 1
    assert await desk.acd.position("unknown") == -1


async def test_items_of_another_kind_do_not_mix_with_calls(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": AgentTerms(takes={"voice": 1, "email": 1})}, "any")
    mail = await desk.calls("mail", policy("any", kind="email"), queue="post")
    assert mail.offer is not None, "interned with the kind when first asked for"
    assert mail.offer.agent == "8002"
    assert (await desk.calls("mail-2", policy("any", kind="email"), queue="post")).position == 1
    lines = await desk.line.call("HKEYS", f"{inside.PREFIX}lines")
    assert sorted(line.partition(".")[0] for line in lines) == ["email", "voice"]


async def test_waiting_call_goes_to_an_agent_who_learns_the_skill(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "sales")
    await desk.calls("call", "sales")
    assert desk.offers == []
    await desk.staff({"8001": {"sales": 1}}, "sales", ready=False)
    assert desk.offered() == [("call", "8001")]


async def test_agent_who_lost_the_skill_gets_no_more_calls_for_it(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}}, "sales")
    await desk.staff({"8001": {}}, "sales", ready=False)
    assert (await desk.calls("call", "sales")).offer is None


async def test_removed_agent_finishes_the_call_and_is_gone(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.acd.accept(desk.last.token)
    await desk.staff({"8002": {}}, "any", ready=False)
    assert [state.id for state in await desk.acd.agents()] == ["8002"]
    assert await desk.acd.leave("call", reason="completed_by_agent") is True
    await desk.passes(60_000)
    await desk.acd.agent("8002", intent=Intent.LOGGED_OUT)
    assert (await desk.calls("call-2")).offer is None


async def test_agent_ids_that_would_break_the_records_are_refused(desk: Desk) -> None:
    for agent in ("", "80 01", "a=b", "a\n"):
        with pytest.raises(ValueError, match="agent id"):
            await desk.staff({agent: {}}, ready=False)
