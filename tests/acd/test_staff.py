"""Agents who change while items wait and while they are at work: their skills, their terms, their removal."""

from __future__ import annotations

import asyncio

import pytest

from engine.acd import Acd, AgentTerms, Device, Intent, UnknownAgent
from engine.redis_line import RedisLine
from tests.acd import inside
from tests.acd.desk import Desk, policy


async def test_skill_that_is_learnt_while_running_brings_the_waiting_at_once_and_survives_a_restart(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}}, "sales", "latin>=3")
    await desk.calls("call", "latin>=3")
    await desk.acd.skill("8001", "latin", 4)
    assert desk.offered() == [("call", "8001")]
    again = Desk(desk.line)
    await again.acd.define({"8001": AgentTerms({"sales": 1})}, [policy("latin>=3")])
    assert (await again.acd.skills("8001"))["latin"] == 4
    await again.acd.skill("8001", "latin", None)
    assert "latin" not in await again.acd.skills("8001")


async def test_agent_joins_and_leaves_a_queue(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "queue:sales")
    assert (await desk.calls("call", "queue:sales")).position == 1
    await desk.acd.skill("8001", "queue:sales", 1)
    assert desk.offered() == [("call", "8001")]
    await desk.acd.withdraw("call", "test")
    await desk.acd.skill("8001", "queue:sales", 0)
    assert (await desk.calls("next", "queue:sales")).position == 1


async def test_skills_that_two_engines_change_at_once_are_both_kept(desk: Desk) -> None:
    other = Desk(desk.line, "two")
    for each in (desk, other):
        await each.staff({"8001": {}}, "any", ready=False)
    await asyncio.gather(
        *(one.acd.skill("8001", name, 5) for one, name in [(desk, "latin"), (other, "greek"), (desk, "welsh")])
    )
    assert await desk.acd.skills("8001") == {"latin": 5, "greek": 5, "welsh": 5}


async def test_queue_that_was_joined_at_one_engine_is_left_at_another(desk: Desk) -> None:
    other = Desk(desk.line, "two")
    for each in (desk, other):
        await each.staff({"8001": {}}, "queue:sales", ready=False)
    await desk.ready("8001")
    for _ in range(2):
        await desk.acd.skill("8001", "queue:sales", 1)
        assert (await desk.calls("call", "queue:sales")).offers
        await desk.acd.withdraw("call", "test")
        await other.acd.skill("8001", "queue:sales", None)
        assert not (await desk.calls("call", "queue:sales")).offers
        await desk.acd.withdraw("call", "test")


async def test_skill_of_an_unknown_agent_is_refused(desk: Desk) -> None:
    with pytest.raises(UnknownAgent, match="8009"):
        await desk.acd.skill("8009", "latin", 1)


async def test_removed_agent_finishes_the_call_and_wraps_up_and_then_there_is_nothing_of_them(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.acd.accept(desk.last.token)
    await desk.staff({"8002": {}}, "any", ready=False)
    with pytest.raises(UnknownAgent):
        await desk.acd.agent("8001", intent=Intent.READY, device=Device.IDLE)
    await desk.calls("own", policy("agent:8001"))
    assert await desk.acd.leave("call", reason="completed") is True
    assert "agent:8001" in await inside.look(desk.line)
    await desk.passes(60_000)
    found = await inside.look(desk.line)
    assert not [
        name for name, value in found.items() if "8001" in name.split(":")[1:] or "8001" in str(value).split("'")
    ]
    assert len(desk.offers) == 1


async def test_removed_agent_who_is_defined_again_meanwhile_is_back(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call", wrapup_ms=0)
    await desk.acd.accept(desk.last.token)
    await desk.staff({}, "any", ready=False)
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.acd.leave("call", reason="completed")
    await desk.ready("8001")
    assert (await desk.calls("next")).offers


async def test_reload_that_changes_nothing_costs_nobody_their_place(desk: Desk) -> None:
    staff = {"8003": {"sales": 1}, "8001": {"sales": 2}, "8002": {"sales": 3}}
    await desk.staff(staff, "sales")
    await desk.passes(1_000)
    await desk.staff(staff, "sales", "sales>=2", ready=False)
    for number in range(3):
        await desk.calls(f"call-{number}", "sales")
    assert [agent for _, agent in desk.offered()] == ["8003", "8001", "8002"]


async def test_kind_that_is_taken_no_more_is_not_offered(desk: Desk) -> None:
    await desk.staff({"8001": AgentTerms(takes={"voice": 1, "chat": 2})}, "any")
    await desk.staff({"8001": AgentTerms(takes={"voice": 1, "chat": 0})}, "any", ready=False)
    assert (await desk.calls("chat", policy("any", kind="chat"))).position == 1
    assert (await desk.calls("call")).offers


async def test_agents_of_another_domain_step_into_a_line_that_is_new_there(desk: Desk) -> None:
    """What Lua remembers of a policy in one domain says nothing about another one."""
    await desk.staff({"8001": {"latin": 1}}, "any")
    await desk.calls("call", "latin")
    offers: list[object] = []
    line = RedisLine(desk.line.url, domain="other")
    await line.open()
    try:
        other = Acd(line, domain="other", engine="one", on_notice=offers.append, clock=lambda: desk.now_ms)
        await other.load()
        await other.define({"8001": AgentTerms({"latin": 1})}, [policy("any")])
        await other.agent("8001", intent=Intent.READY, device=Device.IDLE)
        assert (await other.enqueue("call", queue="sales", policy=policy("latin"))).offers
    finally:
        await line.close()


async def test_fault_in_one_timer_stops_no_other(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("broken")
    await desk.calls("whole")
    await desk.line.call("SET", f"{inside.PREFIX}agent:8001", "no record")
    await desk.passes(60_000)
    assert [event["call"] for event in await desk.journal("offer.missed")] == ["broken", "whole"]
    assert (await desk.acd.look_at("8002")) is not None
