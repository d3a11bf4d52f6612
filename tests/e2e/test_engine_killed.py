"""`kill -9` of the engine, and of everything else that a hotline is made of: nobody is lost who need not be."""

from __future__ import annotations

from typing import Any

import pytest

from engine.api.client import ask
from phones import Call
from tests.e2e.scene import AGENT_HZ, CALLER_HZ, MENU_HZ, Scene, kinds_of, only
from tests.e2e.site_of_tones import MUSIC_HZ, ORDINARY

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.hotline("fragile")]

ANNE, BOB, CARL = "13600136011", "13600136012", "13600136013"


async def hear_each_other(caller: Call, agent: Call) -> None:
    await caller.play_tone(CALLER_HZ)
    await agent.play_tone(AGENT_HZ)
    assert await caller.hears(AGENT_HZ, within=10)
    assert await agent.hears(CALLER_HZ, within=10)


async def test_the_talking_talk_on_and_the_waiting_keep_their_place_when_the_engine_is_killed(scene: Scene) -> None:
    agent = await scene.agent()
    talking, ring = await scene.talking(ANNE, agent)
    waiting = await scene.queued(BOB)
    assert await waiting.hears(MUSIC_HZ, within=6)

    old = scene.hotline.kill("engine")
    await hear_each_other(talking, ring)
    assert await waiting.hears(MUSIC_HZ, within=1)
    await scene.hotline.replaced("engine", old)
    await hear_each_other(talking, ring)
    behind = await scene.queued(CARL)

    await talking.hang_up()
    next_ring = await agent.ringing()
    assert next_ring.caller_number == BOB
    await next_ring.answer()
    await hear_each_other(waiting, next_ring)
    await next_ring.hang_up()
    assert (await agent.ringing()).caller_number == CARL
    await behind.hang_up()

    talked = await scene.row(ANNE)
    assert (talked["end_reason"], talked["agent"]) == ("completed_by_caller", scene.user(agent))
    assert talked["talk_ms"] == talked["ended_ms"] - talked["connected_ms"] > 1000
    assert only(await scene.events_of(talked), "call.recovered")["phase"] == "talking"
    waited = await scene.row(BOB)
    assert (waited["end_reason"], waited["agent"]) == ("completed_by_agent", scene.user(agent))
    events = await scene.events_of(waited)
    assert only(events, "call.recovered")["phase"] == "waiting"
    only(events, "item.enqueued")  # never put in line a second time


async def test_items_keep_their_place_and_whoever_has_one_at_hand_when_the_engine_is_killed(scene: Scene) -> None:
    async def told(path: str, **body: Any) -> Any:
        return await ask(scene.hotline.state.api_socket, path, body=body)

    await scene.hotline.ask("/v1/agents/8002/offers")
    at_hand, offered = [
        (await told("/v1/items", queue="mail", type="email", data={"mail": number}))["id"] for number in (1, 2)
    ]
    offers = (await scene.hotline.ask("/v1/agents/8002/offers?wait=10"))["offers"]
    assert offers[0]["item"]["id"] == at_hand
    await told(f"/v1/offers/{offers[0]['token']}/accept")

    await scene.hotline.replaced("engine", scene.hotline.kill("engine"))
    seen = await scene.hotline.ask("/v1/agents/8002/offers?wait=10")
    assert [(item["id"], item["data"]) for item in seen["items"]] == [(at_hand, {"mail": 1})]
    assert [offer["item"]["id"] for offer in seen["offers"]] == [offered]
    await told(f"/v1/offers/{seen['offers'][0]['token']}/accept")
    for item in (at_hand, offered):
        await told(f"/v1/items/{item}/complete")
    assert (await scene.hotline.ask("/v1/items"))["items"] == []


async def test_whoever_hung_up_while_no_engine_watched_is_accounted_for(scene: Scene) -> None:
    left_agent, leaving_agent = await scene.agents(2)
    leaving, left_ring = await scene.talking(ANNE, left_agent)
    left, leaving_ring = await scene.talking(BOB, leaving_agent)
    await hear_each_other(leaving, left_ring)
    await hear_each_other(left, leaving_ring)
    waiting = await scene.queued(CARL)

    old = scene.hotline.kill("engine")
    await leaving.hang_up()
    await leaving_ring.hang_up()
    await waiting.hang_up()
    await waiting.ended()
    await scene.hotline.replaced("engine", old)

    assert (await left_ring.ended()).who == "them"
    assert (await left.ended()).who == "them"
    reasons = [(await scene.row(caller))["end_reason"] for caller in (ANNE, BOB, CARL)]
    assert reasons == ["completed_by_caller", "completed_by_agent", "abandoned_waiting"]
    for agent in (left_agent, leaving_agent):
        await scene.until_agent(scene.user(agent), work="idle", device="idle", intent="ready")


async def test_a_caller_whose_agent_rang_when_the_engine_was_killed_is_offered_again(scene: Scene) -> None:
    rung, following = await scene.agents(2)
    call = await scene.queued(ANNE)
    ring = await rung.ringing()
    old = scene.hotline.kill("engine")
    await scene.hotline.replaced("engine", old)
    assert (await ring.ended(timeout=3)).who == "them", "an orphaned leg rings on"
    again = await following.ringing()
    assert again.caller_number == ANNE
    await again.answer()
    await hear_each_other(call, again)
    await call.hang_up()
    row = await scene.row(ANNE)
    assert (row["agent"], row["end_reason"]) == (scene.user(following), "completed_by_caller")
    missed = only(await scene.events_of(row), "offer.missed")
    assert (missed["agent"], missed["reason"]) == (scene.user(rung), "failed")


async def test_a_caller_in_the_menu_hears_it_again_when_the_engine_was_killed(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.in_menu(ORDINARY)
    old = scene.hotline.kill("engine")
    await scene.hotline.replaced("engine", old)
    assert await call.hears(MENU_HZ, within=10)
    await call.press("1")
    ring = await agent.ringing()
    await ring.answer()
    await hear_each_other(call, ring)
    await call.hang_up()
    row = await scene.row(ORDINARY)
    assert row["flow_path"] == ["main/greet", "main/who", "main/menu", "main/sales"]
    assert row["customer_name"], "what the identity endpoint said was forgotten"
    assert only(await scene.events_of(row), "call.recovered")["phase"] == "flow"


async def test_a_caller_who_arrives_while_the_engine_starts_is_not_left_alone(scene: Scene) -> None:
    agent = await scene.agent()
    old = scene.hotline.kill("engine")
    call = await scene.dial(ANNE, accounted=None)  # the fallback may have them, or the engine
    await scene.hotline.replaced("engine", old)
    if any(active["raw"] == ANNE for active in await scene.hotline.active_calls()):
        await scene.until_active(ANNE, "step", "menu")
        await call.press("1")
    ring = await agent.ringing(timeout=20)
    await ring.answer()
    await hear_each_other(call, ring)
    await call.hang_up()
    await ring.ended()
    # The journal is in order: with this row, the row that the other call may have is written, and in nobody's way.
    later = await scene.in_menu(BOB)
    await later.hang_up()
    await scene.row(BOB)


async def test_redis_killed_and_back_loses_no_caller(scene: Scene) -> None:
    agent = await scene.agent()
    talking, ring = await scene.talking(ANNE, agent)
    waiting = await scene.queued(BOB)
    old = scene.hotline.kill("redis")
    await scene.hotline.replaced("redis", old)
    await hear_each_other(talking, ring)
    assert await waiting.hears(MUSIC_HZ, within=6)
    await talking.hang_up()
    next_ring = await agent.ringing(timeout=10)
    assert next_ring.caller_number == BOB
    await next_ring.answer()
    await waiting.hang_up()
    assert (await scene.row(ANNE))["end_reason"] == "completed_by_caller"


async def test_asterisk_killed_closes_its_calls_frees_the_agents_and_serves_the_next_caller(scene: Scene) -> None:
    agent = await scene.agent()
    user = scene.user(agent)
    talking, _ = await scene.talking(ANNE, agent)
    await scene.queued(BOB)
    old = scene.hotline.kill("asterisk")
    await scene.hotline.replaced("asterisk", old)

    for caller in (ANNE, BOB):
        row = await scene.row(caller)
        assert row["end_reason"] == "system_failure"
        assert kinds_of(await scene.events_of(row))[-1] in ("call.ended", "wrapup.ended")
    assert (await scene.row(ANNE))["talk_ms"] > 0
    await talking.hang_up()
    await agent.close()
    agent = await scene.phone_back(user)
    await scene.until_agent(user, work="idle", intent="ready")
    call, ring = await scene.talking(CARL, agent)
    await hear_each_other(call, ring)
    await call.hang_up()
    assert (await scene.row(CARL))["end_reason"] == "completed_by_caller"
