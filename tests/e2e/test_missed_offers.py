"""Agents who do not take the call: the caller keeps their place and reaches the next one."""

from __future__ import annotations

import asyncio
import time

import pytest

from engine.acd import Acd, Device
from engine.redis_line import RedisLine
from phones import Call, Phone
from tests.e2e.hotline import Json
from tests.e2e.scene import AGENT_HZ, CALLER_HZ, Scene, only
from tests.e2e.site_of_tones import MUSIC_HZ, RING_S

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLER, BEHIND = "13600136004", "13600136005"


async def served_by(scene: Scene, agent: Phone, call: Call, *, within: float = 3.0) -> tuple[Json, list[Json]]:
    """The caller is offered to `agent` in time, both talk; gives the row and the events."""
    ring = await agent.ringing(timeout=within)
    assert ring.caller_number == CALLER
    await ring.answer()
    await call.play_tone(CALLER_HZ)
    await ring.play_tone(AGENT_HZ)
    assert await ring.hears(CALLER_HZ, within=10)
    assert await call.hears(AGENT_HZ, within=10)
    await call.hang_up()
    row = await scene.row(CALLER)
    assert (row["agent"], row["end_reason"]) == (scene.user(agent), "completed_by_caller")
    events = await scene.events_of(row)
    only(events, "item.enqueued")  # it was put in line once, and never again at the end
    return row, events


async def test_a_busy_agent_is_passed_over_for_the_next(scene: Scene) -> None:
    busy, following = await scene.agents(2)
    call = await scene.queued(CALLER)
    await (await busy.ringing()).busy()
    row, events = await served_by(scene, following, call)
    missed = only(events, "offer.missed")
    assert (missed["agent"], missed["reason"], int(missed["tech_cause"])) == (scene.user(busy), "busy", 486)
    assert row["offers"] == 2


async def test_an_agent_who_rejects_is_passed_over_for_the_next(scene: Scene) -> None:
    rejecting, following = await scene.agents(2)
    call = await scene.queued(CALLER)
    await (await rejecting.ringing()).reject(603)
    _, events = await served_by(scene, following, call)
    missed = only(events, "offer.missed")
    assert (missed["reason"], int(missed["tech_cause"])) == ("rejected", 603)


async def test_a_phone_that_nobody_answers_stops_at_the_ring_limit_and_the_next_rings(scene: Scene) -> None:
    absent, following = await scene.agents(2)
    call = await scene.queued(CALLER)
    unanswered = await absent.ringing()
    began = time.monotonic()
    assert await call.hears(MUSIC_HZ, within=10)
    assert (await unanswered.ended(timeout=RING_S + 2)).who == "them"
    assert RING_S - 0.5 < time.monotonic() - began < RING_S + 1
    _, events = await served_by(scene, following, call)
    missed = only(events, "offer.missed")
    assert missed["reason"] == "no_answer"
    assert (await scene.hotline.agent(scene.user(absent)))["misses"] == 1


async def test_an_unregistered_agent_is_not_even_tried(scene: Scene) -> None:
    gone, following = await scene.agents(2)
    await gone.unregister()
    await scene.until_device(scene.user(gone), "down")
    call = await scene.queued(CALLER)
    row, _ = await served_by(scene, following, call)
    assert row["offers"] == 1


async def test_a_phone_that_is_gone_though_the_acd_thinks_otherwise_costs_no_time(scene: Scene) -> None:
    gone, following = await scene.agents(2)
    user = scene.user(gone)
    await gone.unregister()
    await scene.until_device(user, "down")
    line = RedisLine(f"unix://{scene.hotline.state.redis_socket}?db=0")
    await line.open()
    try:
        liar = Acd(line, engine="liar", on_notice=lambda _: None)
        await liar.agent(scene.user(following), device=Device.DOWN)
        await liar.agent(user, device=Device.IDLE)
        await liar.agent(scene.user(following), device=Device.IDLE)
    finally:
        await line.close()
    call = await scene.queued(CALLER)
    _, events = await served_by(scene, following, call)
    missed = only(events, "offer.missed")
    assert (missed["agent"], missed["reason"]) == (user, "unreachable")
    assert missed["ring_ms"] < 1000


async def test_a_phone_that_says_nothing_at_all_is_given_up_after_three_seconds(scene: Scene) -> None:
    dead, following = await scene.agents(2)
    scene.vanish(dead)
    call = await scene.queued(CALLER)
    assert await call.hears(MUSIC_HZ, within=10)
    _, events = await served_by(scene, following, call, within=5)
    missed = only(events, "offer.missed")
    assert (missed["agent"], missed["reason"]) == (scene.user(dead), "unreachable")
    assert 2500 < missed["ring_ms"] < 4000


async def test_a_caller_whose_agent_hangs_up_while_answering_is_offered_again(scene: Scene) -> None:
    hasty, following = await scene.agents(2)
    call = await scene.queued(CALLER)
    ring = await hasty.ringing()
    # The engine hears of answer and hang-up in one breath, as it would if they came in the same millisecond.
    with scene.hotline.frozen("engine"):
        await ring.answer()
        await ring.hang_up()
        await ring.ended()
        await scene.until_left(scene.user(hasty))
    row, events = await served_by(scene, following, call)
    assert row["offers"] == 2
    assert only(events, "offer.missed")["reason"] == "dumped"


async def test_a_caller_sent_back_keeps_their_place_before_those_who_came_later(scene: Scene) -> None:
    rejecting = await scene.agent()
    call = await scene.queued(CALLER)
    ring = await rejecting.ringing()
    await scene.queued(BEHIND)
    await ring.reject()
    await ring.ended()
    following = await scene.agent()
    await served_by(scene, following, call)
    later = await following.ringing()
    assert later.caller_number == BEHIND


async def test_the_only_agent_who_was_busy_is_tried_again_when_the_call_down_is_over(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.queued(CALLER)
    await (await agent.ringing()).busy()
    assert await call.hears(MUSIC_HZ, within=10)
    row, events = await served_by(scene, agent, call, within=15)
    assert row["offers"] == 2
    missed = only(events, "offer.missed")
    again = [event for event in events if event["type"] == "offer.created"][-1]
    assert again["attempt"] == 2
    assert 9500 < again["at"] - missed["at"] < 12_000


async def test_a_caller_with_no_agent_is_offered_the_moment_one_registers(scene: Scene) -> None:
    call = await scene.queued(CALLER)
    assert await call.hears(MUSIC_HZ, within=10)
    agent = await asyncio.wait_for(scene.agent(), 5)
    row, _ = await served_by(scene, agent, call)
    assert row["offers"] == 1


async def test_a_caller_who_leaves_in_the_moment_of_the_answer_frees_the_agent(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.queued(CALLER)
    ring = await agent.ringing()
    with scene.hotline.frozen("engine"):
        await ring.answer()
        await call.hang_up()
        await call.ended()
        await scene.until_left("demo-carrier")
    assert (await ring.ended(timeout=3)).who == "them"
    row = await scene.row(CALLER)
    assert (row["end_reason"], row["agent"], row["talk_ms"]) == ("abandoned_ringing", "", 0)
    await scene.until_agent(scene.user(agent), work="idle", device="idle", misses=0)
