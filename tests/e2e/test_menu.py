"""What callers do with the menu."""

from __future__ import annotations

import pytest

from tests.e2e.scene import GREETING_HZ, MENU_HZ, Scene, kinds_of, only
from tests.e2e.site_of_tones import PROMPTS_HZ

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLER = "13600136000"


async def test_a_wrong_key_is_said_to_be_wrong_and_the_right_one_then_works(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.in_menu(CALLER)
    await call.press("9")
    assert await call.hears(PROMPTS_HZ["invalid-key"], within=10)
    assert await call.hears(MENU_HZ, within=10)
    await call.press("2")
    ring = await agent.ringing()
    await ring.answer()
    await call.hang_up()

    row = await scene.row(CALLER)
    assert row["queue"] == "service"
    digits = [event["digit"] for event in await scene.events_of(row) if event["type"] == "ivr.digit"]
    assert digits == ["9", "2"]


async def test_a_silent_caller_is_asked_again_and_then_reaches_the_operator(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.in_menu(CALLER)
    assert await call.hears(PROMPTS_HZ["no-input"], within=10)
    assert await call.hears(MENU_HZ, within=10)
    assert await call.hears(PROMPTS_HZ["no-input"], within=10)
    ring = await agent.ringing()
    await ring.answer()
    await call.hang_up()

    row = await scene.row(CALLER)
    assert row["flow_path"][-2:] == ["main/menu", "main/operator"]
    left = [event for event in await scene.events_of(row) if event["type"] == "ivr.node_exited"][-1]
    assert left["outcome"] == "silence: 2 tries"


async def test_a_key_typed_during_the_greeting_cuts_it_short_and_answers_the_menu(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.dial(CALLER)
    await call.answered()
    assert await call.hears(GREETING_HZ, within=10)
    await call.press("1")
    ring = await agent.ringing(timeout=3)
    await ring.answer()
    await call.hang_up()

    row = await scene.row(CALLER)
    assert row["flow_path"] == ["main/greet", "main/who", "main/menu", "main/sales"]
    events = await scene.events_of(row)
    assert only(events, "ivr.digit")["digit"] == "1"
    greeted = next(event for event in events if event["type"] == "ivr.node_exited")
    assert (greeted["step"], greeted["outcome"]) == ("greet", "interrupted")


async def test_a_caller_who_hangs_up_in_the_menu_leaves_nothing_behind(scene: Scene) -> None:
    call = await scene.in_menu(CALLER)
    await call.hang_up()
    row = await scene.row(CALLER)
    assert row["end_reason"] == "abandoned_ivr"
    assert row["flow_path"] == ["main/greet", "main/who", "main/menu"]
    assert (row["queue"], row["agent"], row["queued_ms"], row["connected_ms"]) == ("", "", None, None)
    assert "item.enqueued" not in kinds_of(await scene.events_of(row))
