"""What callers hear of their place and of the wait, and that it holds nobody up."""

from __future__ import annotations

import pytest

from tests.e2e.scene import Scene, only
from tests.e2e.site_of_tones import MUSIC_HZ, PROMPT_S, PROMPTS_HZ, WAIT_HZ, WAIT_S

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNE, BOB = "13600136001", "13600136002"
SERVICE = "2"
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


async def test_an_agent_who_answers_into_an_announcement_talks_at_once(scene: Scene) -> None:
    agent = await scene.agent()
    told_before = await told(scene)
    first, _ = await scene.talking(ANNE, agent)
    bob = await scene.queued(BOB, key=SERVICE)
    assert await bob.hears(WAIT_HZ, within=10)
    await first.hang_up()
    ring = await agent.ringing()
    await ring.answer()
    await scene.until_connected(BOB)
    await bob.hang_up()

    events = await scene.events_of(await scene.row(BOB))
    announced, accepted, bridged = (
        only(events, kind) for kind in ("item.announced", "offer.accepted", "bridge.started")
    )
    assert accepted["at"] < announced["at"] + 1000 * (2 * PROMPT_S + WAIT_S), (
        "the announcement was over: nothing is shown"
    )
    assert bridged["at"] - accepted["at"] <= AT_ONCE_MS
    assert await told(scene) == told_before + 1


async def told(scene: Scene) -> int:
    """How many callers for service were told a wait that could be measured."""
    rows = await scene.hotline.ask("/v1/accuracy")
    return sum(row["told"] for row in rows if row["queue"] == "service")
