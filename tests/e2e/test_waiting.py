"""Callers who wait, and who is next."""

from __future__ import annotations

import pytest

from tests.e2e.scene import Scene, kinds_of, only
from tests.e2e.site_of_tones import MUSIC_HZ, PROMPTS_HZ, VIP, WRAP_UP_S

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNE, BOB, CARL = "13600136001", "13600136002", "13600136003"


async def test_a_waiting_caller_hears_their_place_and_music_and_may_give_up(scene: Scene) -> None:
    call = await scene.in_menu(ANNE)
    await call.press("1")
    assert await call.hears(PROMPTS_HZ["all-agents-busy"], within=10)
    assert await call.hears(PROMPTS_HZ["position-1"], within=10)
    assert await call.hears(MUSIC_HZ, within=10)
    await call.hang_up()

    row = await scene.row(ANNE)
    assert (row["end_reason"], row["queue"], row["agent"], row["offers"]) == ("abandoned_waiting", "sales", "", 0)
    assert row["wait_ms"] == row["ended_ms"] - row["queued_ms"] > 0
    events = await scene.events_of(row)
    assert only(events, "item.announced")["position"] == 1
    assert only(events, "item.ended")["reason"] == "abandoned_waiting"


async def test_a_caller_who_hangs_up_while_the_phone_rings_frees_the_agent_at_once(scene: Scene) -> None:
    agent = await scene.agent()
    before = await scene.until_agent(scene.user(agent), work="idle")
    call = await scene.queued(ANNE)
    ring = await agent.ringing()
    await scene.until_agent(scene.user(agent), work="ringing")
    await call.hang_up()

    assert (await ring.ended(timeout=2)).who == "them"
    after = await scene.until_agent(scene.user(agent), within=2, work="idle", device="idle")
    assert after["misses"] == after["cool_until_ms"] == 0
    assert after["idle_since_ms"] == before["idle_since_ms"], "the agent lost their place among the longest idle"
    row = await scene.row(ANNE)
    assert (row["end_reason"], row["agent"], row["offers"]) == ("abandoned_ringing", "", 1)
    events = await scene.events_of(row)
    assert only(events, "offer.cancelled")["agent"] == scene.user(agent)
    assert "offer.missed" not in kinds_of(events)


async def test_the_second_of_two_callers_waits_and_is_offered_after_the_wrap_up(scene: Scene) -> None:
    agent = await scene.agent()
    first, _ = await scene.talking(ANNE, agent)
    second = await scene.in_menu(BOB)
    await second.press("1")
    assert await second.hears(PROMPTS_HZ["position-1"], within=10)
    assert await second.hears(MUSIC_HZ, within=10)
    await first.hang_up()

    ring = await agent.ringing()
    assert ring.caller_number == BOB
    await ring.answer()
    await scene.until_connected(BOB)
    await second.hang_up()
    freed = only(await scene.events_of(await scene.row(ANNE)), "bridge.ended")
    offered = only(await scene.events_of(await scene.row(BOB)), "offer.created")
    assert WRAP_UP_S * 1000 <= offered["at"] - freed["at"] < WRAP_UP_S * 1000 + 1000


async def test_the_longest_waiting_of_equals_is_offered_first(scene: Scene) -> None:
    bob = await scene.queued(BOB)
    carl = await scene.in_menu(CARL)
    await carl.press("1")
    assert await carl.hears(PROMPTS_HZ["position-2"], within=10)

    agent = await scene.agent()
    ring = await agent.ringing()
    assert ring.caller_number == BOB
    await ring.answer()
    await scene.until_connected(BOB)
    await bob.hang_up()
    ring = await agent.ringing()
    assert ring.caller_number == CARL


async def test_a_vip_overtakes_a_caller_who_has_waited_longer(scene: Scene) -> None:
    ordinary = await scene.queued(BOB)
    vip = await scene.in_menu(VIP)
    await vip.press("1")
    assert await vip.hears(PROMPTS_HZ["position-1"], within=10)

    agent = await scene.agent()
    ring = await agent.ringing()
    assert ring.caller_number == VIP
    await ring.answer()
    await scene.until_connected(VIP)
    await vip.hang_up()
    ring = await agent.ringing()
    assert ring.caller_number == BOB
    await ordinary.hang_up()


async def test_agents_take_turns_the_longest_idle_first(scene: Scene) -> None:
    one, other = await scene.agents(2)
    for caller, agent in ((ANNE, one), (BOB, other)):
        call, _ = await scene.talking(caller, agent)
        await call.hang_up()
    await scene.until_agent(scene.user(one), work="idle")
    assert len(one.received) == len(other.received) == 1
