"""Several phones at once for one caller: the first to answer has the call, and for all others nothing has happened."""

from __future__ import annotations

import re

import pytest

from phones import Phone
from tests.e2e.hotline import Json
from tests.e2e.scene import AGENT_HZ, CALLER_HZ, SOON_S, Scene, kinds_of, only
from tests.e2e.site_of_tones import MUSIC_HZ, RULES_POOL
from tests.e2e.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNE = "13600136071"
TOGETHER = "1"


async def idle(scene: Scene, agents: list[Phone]) -> dict[str, int]:
    """Since when each of them has been idle."""
    return {user: (await scene.hotline.agent(user))["idle_since_ms"] for user in map(scene.user, agents)}


async def uncharged(scene: Scene, before: dict[str, int], *losers: Phone) -> None:
    """For these it is as if nobody had ever rung."""
    for user in map(scene.user, losers):
        agent = await scene.until_agent(user, work="idle", device="idle", misses=0, cool_until_ms=0)
        assert agent["idle_since_ms"] == before[user], f"{user} lost their place among the longest idle"


def cancel_of(scene: Scene, phone: Phone) -> str:
    """The CANCEL that its phone was sent last, "" for none."""
    log = (scene.hotline.folder / f"phones/{scene.user(phone)}.log").read_text(errors="replace")
    found = list(re.finditer(r"^CANCEL sip:.*?(?=^\s*$)", log.replace("\r", ""), re.MULTILINE | re.DOTALL))
    return found[-1].group() if found else ""


def cancelled(events: list[Json]) -> set[str]:
    return {event["agent"] for event in events if event["type"] == "offer.cancelled"}


async def test_three_ring_and_the_others_are_told_that_the_call_was_completed_elsewhere(scene: Scene) -> None:
    agents = await scene.agents(3, RULES_POOL)
    before = await idle(scene, agents)
    call = await scene.in_line(ANNE, TOGETHER)
    rings = [await agent.ringing() for agent in agents]
    assert {ring.caller_number for ring in rings} == {ANNE}
    await rings[1].answer()
    await call.play_tone(CALLER_HZ)
    await rings[1].play_tone(AGENT_HZ)
    assert await call.hears(AGENT_HZ, within=10)
    assert await rings[1].hears(CALLER_HZ, within=10)
    for loser in (0, 2):
        assert (await rings[loser].ended(timeout=3)).who == "them"

        async def told(phone: Phone = agents[loser]) -> bool:
            return "Call completed elsewhere" in cancel_of(scene, phone)

        await until(told, within=SOON_S, what="the loser's CANCEL says that somebody else has answered (RFC 3326)")
        assert "cause=26" in cancel_of(scene, agents[loser])
    await uncharged(scene, before, agents[0], agents[2])
    await call.hang_up()

    row = await scene.row(ANNE)
    assert (row["agent"], row["offers"]) == (scene.user(agents[1]), 3)
    events = await scene.events_of(row)
    assert only(events, "offer.accepted")["agent"] == scene.user(agents[1])
    assert cancelled(events) == {scene.user(agents[0]), scene.user(agents[2])}
    assert "offer.missed" not in kinds_of(events)


async def test_of_two_who_answer_in_the_same_moment_one_has_the_call_and_the_other_is_free(scene: Scene) -> None:
    agents = await scene.agents(2, RULES_POOL)
    before = await idle(scene, agents)
    call = await scene.in_line(ANNE, TOGETHER)
    rings = [await agent.ringing() for agent in agents]
    for agent in agents:
        await scene.until_agent(scene.user(agent), work="ringing")
    # The engine hears of both in one breath.
    with scene.hotline.frozen("engine"):
        for ring in rings:
            await ring.answer()
    await scene.until_connected(ANNE)
    active = await scene.until_active(ANNE, "phase", "talking")
    won = next(n for n, agent in enumerate(agents) if scene.user(agent) == active["agent"])
    assert (await rings[1 - won].ended(timeout=3)).who == "them"
    await rings[won].play_tone(AGENT_HZ)
    assert await call.hears(AGENT_HZ, within=10)
    await uncharged(scene, before, agents[1 - won])
    await call.hang_up()
    events = await scene.events_of(await scene.row(ANNE))
    assert only(events, "offer.accepted")["agent"] == active["agent"]
    only(events, "bridge.started")


async def test_a_caller_who_hangs_up_while_three_ring_frees_them_all(scene: Scene) -> None:
    agents = await scene.agents(3, RULES_POOL)
    before = await idle(scene, agents)
    call = await scene.in_line(ANNE, TOGETHER)
    rings = [await agent.ringing() for agent in agents]
    for agent in agents:
        await scene.until_agent(scene.user(agent), work="ringing")
    await call.hang_up()
    for ring in rings:
        assert (await ring.ended(timeout=3)).who == "them"
    await uncharged(scene, before, *agents)
    row = await scene.row(ANNE)
    assert (row["end_reason"], row["agent"], row["offers"]) == ("abandoned_ringing", "", 3)
    assert cancelled(await scene.events_of(row)) == set(before)


async def test_when_all_who_ring_have_missed_the_caller_waits_on_for_the_next(scene: Scene) -> None:
    rejecting, busy, absent = agents = await scene.agents(3, RULES_POOL)
    call = await scene.in_line(ANNE, TOGETHER)
    rings = [await agent.ringing() for agent in agents]
    await rings[0].reject(603)
    await rings[1].busy()
    assert (await rings[2].ended(timeout=5)).who == "them"
    assert await call.hears(MUSIC_HZ, within=10)
    (following,) = await scene.agents(1, RULES_POOL)
    ring = await following.ringing()
    await ring.answer()
    await scene.until_connected(ANNE)
    await call.hang_up()
    row = await scene.row(ANNE)
    assert (row["agent"], row["offers"]) == (scene.user(following), 4)
    events = await scene.events_of(row)
    only(events, "item.enqueued")
    reasons = {event["agent"]: event["reason"] for event in events if event["type"] == "offer.missed"}
    assert reasons == {
        scene.user(rejecting): "rejected",
        scene.user(busy): "busy",
        scene.user(absent): "no_answer",
    }
