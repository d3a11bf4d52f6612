"""With no engine connected, and with one that speaks ARI the old way, callers are still answered."""

from __future__ import annotations

import signal

import pytest

from tests.e2e.own_engine import own_engine, until_no_engine
from tests.e2e.scene import AGENT_HZ, CALLER_HZ, Scene, kinds_of

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.hotline("fragile")]

CALLER = "13600136021"


async def test_the_fallback_queue_rings_an_agent_when_no_engine_is_connected(scene: Scene) -> None:
    agent = await scene.agent()
    old = await until_no_engine(scene.hotline)
    try:
        call = await scene.dial(CALLER, accounted=False)
        ring = await agent.ringing(timeout=10)
        await ring.answer()
        await call.play_tone(CALLER_HZ)
        await ring.play_tone(AGENT_HZ)
        assert await call.hears(AGENT_HZ, within=10)
        assert await ring.hears(CALLER_HZ, within=10)
        await call.hang_up()
        assert (await ring.ended()).who == "them"
    finally:
        scene.hotline.tell(signal.SIGCONT)
        await scene.hotline.replaced("engine", old)


async def test_an_engine_serves_a_whole_call_over_http_alone(scene: Scene) -> None:
    """Asterisk before 22.4 has no REST over WebSocket."""
    agent = await scene.agent()
    async with own_engine(scene.hotline, http_only=True):
        status = await scene.hotline.ask("/v1/status")
        assert status["asterisk"]["rest_over_websocket"] is False
        call, ring = await scene.talking(CALLER, agent)
        await call.play_tone(CALLER_HZ)
        await ring.play_tone(AGENT_HZ)
        assert await call.hears(AGENT_HZ, within=10)
        assert await ring.hears(CALLER_HZ, within=10)
        await ring.hang_up()
        assert (await call.ended()).who == "them"
        row = await scene.row(CALLER)
        assert row["end_reason"] == "completed_by_agent"
        assert kinds_of(await scene.events_of(row)).count("call.answered") == 1
