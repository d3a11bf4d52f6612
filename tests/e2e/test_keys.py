"""A key is a key, by whatever way it comes: RFC 4733 in the audio, SIP INFO beside it, or both at once."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.scene import Scene
from tests.e2e.site_of_tones import PROMPTS_HZ

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLER = "13600136001"


async def digits_of(scene: Scene) -> list[str]:
    events = await scene.events_of(await scene.row(CALLER))
    return [event["digit"] for event in events if event["type"] == "ivr.digit"]


async def test_a_key_sent_by_sip_info_answers_the_menu(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.in_menu(CALLER)
    await call.press_by_info("1")
    ring = await agent.ringing()
    await ring.answer()
    await call.hang_up()
    assert await digits_of(scene) == ["1"]


async def test_one_key_that_comes_by_both_ways_is_one_key(scene: Scene) -> None:
    call = await scene.in_menu(CALLER)
    await asyncio.gather(call.press("9"), call.press_by_info("9"))
    assert await call.hears(PROMPTS_HZ["invalid-key"], within=3)
    agent = await scene.agent()
    await call.press("1")
    ring = await agent.ringing()
    await ring.answer()
    await call.hang_up()
    assert await digits_of(scene) == ["9", "1"]
