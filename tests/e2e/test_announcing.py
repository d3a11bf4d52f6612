"""What callers hear of their place and of the wait, and that it holds nobody up."""

from __future__ import annotations

import statistics

import pytest

from phones import State
from tests.e2e.scene import Scene, only
from tests.e2e.site_of_tones import MUSIC_HZ, PROMPT_S, PROMPTS_HZ, WAIT_HZ, WAIT_S

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNE, BOB = "13600136001", "13600136002"
SERVICE = "2"
SENTENCE_MS = 1000 * (2 * PROMPT_S + WAIT_S)
# The promise: an announcement costs a connection less than that.
AT_ONCE_MS = 100


async def test_place_and_wait_are_told_and_the_music_goes_on(scene: Scene) -> None:
    agent = await scene.agent()
    first, _ = await scene.talking(ANNE, agent)
    bob = await scene.queued(BOB, key=SERVICE)
    for hz in (PROMPTS_HZ["all-agents-busy"], PROMPTS_HZ["position-1"], WAIT_HZ, MUSIC_HZ):
        assert await bob.hears(hz, within=10), f"{hz} Hz"
    await bob.hang_up()
    await first.hang_up()

    events = await scene.events_of(await scene.row(BOB))
    announced = only(events, "item.announced")
    assert announced["position"] == 1
    assert 0 <= announced["low_ms"] < announced["high_ms"]
    words = next(event["prompts"] for event in events if "all-agents-busy" in event.get("prompts", ()))
    assert words[1] == "position-1"
    assert words[2].startswith("wait-")


async def test_whenever_an_agent_answers_both_talk_at_once(scene: Scene) -> None:
    """Before the first word, in each of them, and in the music after the last."""
    busy, agent = await scene.agents(2)
    user = scene.user(agent)
    told_before = await told(scene)
    first, _ = await scene.talking(ANNE, busy)  # somebody is at work: a wait can be told
    sentence = [PROMPTS_HZ["all-agents-busy"], PROMPTS_HZ["position-1"], WAIT_HZ, MUSIC_HZ]
    took_ms = {}
    for heard in (0, *range(1, len(sentence) + 1)):
        caller = f"1360013601{heard}"
        bob = await scene.queued(caller, key=SERVICE)
        for hz in sentence[:heard]:
            assert await bob.hears(hz, within=10), f"{hz} Hz"
        await scene.intent(user, "ready")
        ring = await agent.ringing()
        await ring.answer()
        await scene.until_connected(caller)
        await scene.intent(user, "not_ready")
        await bob.hang_up()
        events = await scene.events_of(await scene.row(caller))
        bridged_ms = only(events, "bridge.started")["at"]
        took_ms[heard] = bridged_ms - ring.at_ms[State.CONNECTING]
        if 0 < heard < len(sentence):
            assert bridged_ms < only(events, "item.announced")["at"] + SENTENCE_MS, "it was over: nothing is shown"
    print(f"ms from an agent's 200 OK to the bridge, after so many words: {took_ms}")
    # In the median: a machine that is busy elsewhere may hold one of them up.
    assert statistics.median(took_ms.values()) <= AT_ONCE_MS, took_ms
    await scene.intent(user, "ready")
    await first.hang_up()
    assert await told(scene) == told_before + len(sentence)


async def told(scene: Scene) -> int:
    """How many callers for service were told a wait that could be measured."""
    rows = await scene.hotline.ask("/v1/accuracy")
    return sum(row["told"] for row in rows if row["queue"] == "service")
