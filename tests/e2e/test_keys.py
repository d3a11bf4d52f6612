"""A key is a key, by whatever way it comes: RFC 4733 in the audio, SIP INFO beside it, or both at once."""

from __future__ import annotations

import asyncio

import pytest

from phones import Call
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
    assert await call.hears(PROMPTS_HZ["invalid-key"], within=10)
    agent = await scene.agent()
    await call.press("1")
    ring = await agent.ringing()
    await ring.answer()
    await call.hang_up()
    assert await digits_of(scene) == ["9", "1"]


async def press(call: Call, way: str, keys: str) -> None:
    await (call.press_by_info(keys) if way == "sip_info" else call.press(keys))


@pytest.mark.parametrize("way", ["rfc4733", "sip_info"])
async def test_every_step_that_takes_keys_takes_them_by_either_way(scene: Scene, way: str) -> None:
    colleague = await scene.agent()
    call = await scene.dial(CALLER, number="4008001220")
    await call.answered()
    for step, parts in {
        "choice": ["5"],
        "order": ["20261001", "1"],
        "proof": ["1001#", "2468#"],
        "again": ["2", "13900139000#", "1"],
        "opinion": ["5"],
    }.items():
        await scene.until_active(CALLER, "step", step, within=15)
        for part in parts:
            await press(call, way, part)
    await scene.until_active(CALLER, "step", "message", within=15)
    await press(call, way, "#")  # the greeting is known
    await call.play_tone(430)
    assert await call.hears(PROMPTS_HZ["beep"], within=10)
    await asyncio.sleep(1.2)  # a voicemail has a length
    await press(call, way, "#")
    assert await call.hears(PROMPTS_HZ["message-menu"], within=10)
    await press(call, way, "1")
    await scene.until_active(CALLER, "step", "colleague", within=15)
    await press(call, way, f"{scene.user(colleague)}#")
    ring = await colleague.ringing()
    await ring.answer()
    await scene.until_connected(CALLER)
    await call.hang_up()
    row = await scene.row(CALLER)
    assert [place.partition("/")[2] for place in row["flow_path"]] == [
        *("choice", "order", "proof", "again", "opinion", "message", "colleague")
    ]
    assert row["end_reason"] == "completed_by_caller"
