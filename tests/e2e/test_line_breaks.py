"""The engine's line to Asterisk breaks while people talk, wait and ring: for a moment, and for too long."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from phones import Call
from tests.e2e.own_engine import Line, own_engine
from tests.e2e.scene import AGENT_HZ, CALLER_HZ, Scene, only
from tests.e2e.site_of_tones import MUSIC_HZ
from tests.e2e.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.hotline("fragile")]

ANNE, BOB = "13600136121", "13600136122"


@pytest_asyncio.fixture(loop_scope="session")
async def line(scene: Scene) -> AsyncIterator[Line]:
    """The line of an engine that is the hotline's for this test."""
    async with Line.to(scene.hotline.ports.ari) as line, own_engine(scene.hotline, ari_port=line.port):
        yield line


async def until_connected(scene: Scene, connected: bool) -> None:
    async def so() -> bool:
        return bool((await scene.hotline.ask("/v1/status"))["asterisk"]["connected"] is connected)

    await until(so, within=5, what=f"the engine's line is {'there' if connected else 'away'}")


async def until_offered(scene: Scene, caller: str, times: int) -> None:
    async def so() -> bool:
        return any(c["raw"] == caller and c["offers"] >= times for c in await scene.hotline.active_calls())

    await until(so, within=12, what=f"{caller} has been offered {times} times")


async def hear_each_other(caller: Call, agent: Call) -> None:
    await caller.play_tone(CALLER_HZ)
    await agent.play_tone(AGENT_HZ)
    assert await caller.hears(AGENT_HZ, within=10)
    assert await agent.hears(CALLER_HZ, within=10)


async def test_a_line_that_breaks_for_a_moment_is_noticed_by_nobody(scene: Scene, line: Line) -> None:
    talking_agent, other = await scene.agents(2)
    await scene.intent(scene.user(other), "not_ready")
    talking, ring = await scene.talking(ANNE, talking_agent)
    waiting = await scene.queued(BOB)
    assert await waiting.hears(MUSIC_HZ, within=6)

    line.breaks()
    await until_connected(scene, False)
    await scene.intent(scene.user(other), "ready")
    await until_offered(scene, BOB, 1)
    line.comes_back()
    await until_connected(scene, True)

    next_ring = await other.ringing()
    await hear_each_other(talking, ring)
    await next_ring.answer()
    await hear_each_other(waiting, next_ring)
    await ring.hang_up()
    await next_ring.hang_up()
    for caller, agent in ((ANNE, talking_agent), (BOB, other)):
        row = await scene.row(caller)
        assert (row["end_reason"], row["agent"], row["offers"]) == ("completed_by_agent", scene.user(agent), 1)


async def test_a_line_that_is_away_too_long_costs_an_offer_and_not_the_place(scene: Scene, line: Line) -> None:
    agent = await scene.agent()
    await scene.intent(scene.user(agent), "not_ready")
    waiting = await scene.queued(BOB)
    assert await waiting.hears(MUSIC_HZ, within=6)

    line.breaks()
    await until_connected(scene, False)
    await scene.intent(scene.user(agent), "ready")
    await until_offered(scene, BOB, 2)  # the first was missed by Asterisk, and so the caller is offered again
    line.comes_back()

    ring = await agent.ringing()
    await ring.answer()
    await hear_each_other(waiting, ring)
    await waiting.hang_up()
    row = await scene.row(BOB)
    assert (row["end_reason"], row["offers"]) == ("completed_by_caller", 2)
    assert only(await scene.events_of(row), "offer.missed")["reason"] == "failed"
