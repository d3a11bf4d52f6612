"""The three axes of an agent, wrap-up, and the place among the longest idle."""

from __future__ import annotations

import asyncio

import pytest

from engine.acd import Device, Intent, Missed, UnknownAgent, Work
from tests.acd import inside
from tests.acd.desk import WRAPUP_MS, Desk


@pytest.mark.parametrize("intent", Intent)
@pytest.mark.parametrize("device", Device)
async def test_only_ready_with_an_idle_phone_is_offered(desk: Desk, intent: Intent, device: Device) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("call")
    await desk.acd.agent("8001", intent=intent, device=device)
    assert bool(desk.offers) is (intent is Intent.READY and device is Device.IDLE)


async def test_unknown_agent_is_refused(desk: Desk) -> None:
    with pytest.raises(UnknownAgent, match="8009"):
        await desk.acd.agent("8009", intent=Intent.READY)


async def test_one_agent_is_seen_as_among_all_and_an_unknown_one_is_nobody(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    for agent in await desk.acd.agents():
        assert await desk.acd.look_at(agent.id) == agent
    assert await desk.acd.look_at("8009") is None


async def test_logging_out_while_talking_is_not_undone_by_the_end_of_the_call(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.acd.accept(desk.last.token)
    await desk.acd.agent("8001", intent=Intent.LOGGED_OUT)
    await desk.acd.leave("call", reason="completed_by_caller")
    await desk.passes(WRAPUP_MS)
    agent = await desk.agent("8001")
    assert (agent.intent, agent.work) == (Intent.LOGGED_OUT, Work.IDLE)
    assert (await desk.calls("next")).offer is None


async def test_offer_under_way_survives_a_pause_and_the_agent_gets_no_other(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.acd.agent("8001", intent=Intent.NOT_READY, reason="lunch")
    assert await desk.acd.accept(desk.last.token) is True
    await desk.acd.leave("call", reason="completed_by_caller")
    await desk.passes(WRAPUP_MS)
    agent = await desk.agent("8001")
    assert (agent.intent, agent.reason) == (Intent.NOT_READY, "lunch")
    assert (await desk.calls("next")).offer is None


async def test_wrap_up_ends_at_its_deadline_and_the_next_call_comes_in_that_step(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call-1")
    await desk.calls("call-2")
    await desk.acd.accept(desk.last.token)
    await desk.acd.leave("call-1", reason="completed_by_caller")
    assert (await desk.agent("8001")).wrapup_until_ms == desk.now_ms + WRAPUP_MS
    await desk.passes(WRAPUP_MS - 1)
    assert (await desk.agent("8001")).work == Work.WRAPUP
    await desk.passes(1)
    assert desk.offered() == [("call-1", "8001"), ("call-2", "8001")]
    started, ended = await desk.journal("wrapup.started", "wrapup.ended")
    assert (started["call"], started["until"], ended["call"]) == ("call-1", desk.now_ms, "call-1")


async def test_wrap_up_outlives_pause_and_login(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.acd.accept(desk.last.token)
    await desk.acd.leave("call", reason="completed_by_caller")
    await desk.acd.agent("8001", intent=Intent.NOT_READY)
    await desk.acd.agent("8001", intent=Intent.READY)
    assert (await desk.agent("8001")).work == Work.WRAPUP
    await desk.passes(WRAPUP_MS)
    assert (await desk.calls("next")).offer is not None


async def test_without_wrap_up_the_next_call_comes_when_the_agent_leaves(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call-1", wrapup_ms=0)
    await desk.calls("call-2")
    await desk.acd.accept(desk.last.token)
    await desk.acd.leave("call-1", reason="completed_by_caller")
    assert desk.last.item == "call-2"
    assert await desk.journal("wrapup.started") == []


async def test_caller_who_hangs_up_costs_the_agent_no_place(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.acd.ringing(desk.last.token)
    await desk.acd.agent("8001", device=Device.BUSY)  # it rings for us
    assert await desk.acd.withdraw("call", "abandoned_ringing") is True
    await desk.passes(30)
    await desk.acd.agent("8001", device=Device.IDLE)
    await desk.calls("next")
    assert desk.last.agent == "8001"
    [cancelled] = await desk.journal("offer.cancelled")
    assert (cancelled["agent"], cancelled["reason"]) == ("8001", "abandoned_ringing")


async def test_call_of_their_own_costs_the_agent_their_place(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.acd.agent("8001", device=Device.BUSY)
    await desk.passes(1_000)
    await desk.acd.agent("8001", device=Device.IDLE)
    await desk.calls("call")
    assert desk.last.agent == "8002"


async def test_freed_agent_takes_a_waiting_call_in_the_same_step(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call-1")
    await desk.calls("call-2")
    await desk.acd.withdraw("call-1", "abandoned_ringing")
    assert desk.last.item == "call-2"


async def test_withdrawing_twice_or_an_unknown_call_is_refused(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("call")
    assert await desk.acd.withdraw("call", "abandoned_waiting") is True
    assert await desk.acd.withdraw("call", "abandoned_waiting") is False
    assert await desk.acd.leave("call", reason="completed_by_caller") is False
    assert [event["type"] for event in await desk.journal("item.ended")] == ["item.ended"]


async def test_repeating_a_state_is_neither_reported_nor_costs_the_place(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    before = (await desk.agent("8001"), await desk.journal())
    await desk.passes(5_000)
    await desk.ready("8001")
    assert (await desk.agent("8001"), await desk.journal()) == before


async def test_changes_of_intent_and_device_are_told(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.acd.agent("8001", intent=Intent.NOT_READY, reason='"lunch" 午餐', device=Device.IDLE)
    intent, device = await desk.journal("agent.intent_changed", "agent.device_changed")
    assert (intent["call"], intent["agent"], intent["intent"], intent["reason"]) == (
        "", "8001", "not_ready", '"lunch" 午餐',
    )  # fmt: skip
    assert (device["agent"], device["device"]) == ("8001", "idle")


async def test_whose_word_it_was_is_in_the_journal_and_nobody_where_nobody_said(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    for actor in ("", 'anna "li"'):
        await desk.acd.agent("8001", intent=Intent.READY, device=Device.IDLE, reason=actor, actor=actor)
        await desk.acd.skill("8001", "sales", 5, actor=actor)
        await desk.calls("call", wrapup_ms=1_000)
        await desk.acd.accept(desk.last.token)
        await desk.acd.leave("call", reason="completed_by_caller")
        await desk.acd.wrapup("8001", 0, actor=actor)
    for kind in ("agent.intent_changed", "agent.skills_changed", "wrapup.changed"):
        unsaid, said = await desk.journal(kind)
        assert ("by" in unsaid, said["by"]) == (False, 'anna "li"')


async def test_two_who_make_a_wrap_up_longer_at_once_both_do(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.acd.accept(desk.last.token)
    await desk.acd.leave("call", reason="completed_by_caller")
    await asyncio.gather(*(desk.acd.wrapup("8001", 30_000, actor=actor) for actor in ("anna", "8001")))
    assert (await desk.agent("8001")).wrapup_until_ms == desk.now_ms + WRAPUP_MS + 60_000


async def test_wrap_up_that_is_due_already_is_made_longer_from_now_on(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    await desk.acd.accept(desk.last.token)
    await desk.acd.leave("call", reason="completed_by_caller")
    desk.now_ms += WRAPUP_MS + 900  # and no engine has looked yet
    assert await desk.acd.wrapup("8001", 5_000) == 5_000


async def test_nothing_of_a_finished_call_stays_behind(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    keys = {key for key in await desk.line.call("KEYS", "*") if not key.endswith((":journal", ":seq"))}
    for item, ends in [("one", "leave"), ("two", "withdraw"), ("three", "miss")]:
        await desk.calls(item, wrapup_ms=0)
        if ends == "leave":
            await desk.acd.accept(desk.last.token)
            await desk.acd.leave(item, reason="completed_by_caller")
        elif ends == "miss":
            await desk.misses(Missed.NO_ANSWER)
        await desk.acd.withdraw(item, "abandoned_waiting")
    left = {key for key in await desk.line.call("KEYS", "*") if not key.endswith((":journal", ":seq"))}
    # The agent cools down after the miss.
    assert left - keys == {f"{inside.PREFIX}{name}" for name in ("queues", "timers", "why:voice")}
    await desk.passes(60_000)
    assert await desk.line.call("EXISTS", f"{inside.PREFIX}timers", f"{inside.PREFIX}why:voice") == 0
