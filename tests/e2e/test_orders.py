"""What an operator decides on the command line, the next caller meets: before and after the engine is killed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from phones import Call
from tests.e2e.hotline import Hotline
from tests.e2e.scene import Scene
from tests.e2e.site_of_tones import PROJECT, PROMPTS_HZ

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.hotline("fragile")]

NUMBER = "4008001204"
ANNE, BOB = "13600136021", "13600136022"


async def order(hotline: Hotline, *words: str) -> str:
    """`hotline WORDS`, as an operator types them."""
    argv = [sys.executable, "-m", "engine.cli", *words]
    where = os.environ | {"HOTLINE_STATE": str(hotline.state.folder)}
    done = await asyncio.to_thread(subprocess.run, argv, cwd=PROJECT, env=where, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def hears_in_order(scene: Scene, caller: str, *prompts: str) -> Call:
    """A caller who is told just this, until they are hung up on."""
    call = await scene.dial(caller, number=NUMBER)
    for prompt in prompts:
        assert await call.hears(PROMPTS_HZ[prompt], within=10), f"{prompt} was not heard"
    await call.ended(timeout=5)
    row = await scene.row(caller)
    played = [event["prompts"] for event in await scene.events_of(row) if event["type"] == "ivr.played"]
    assert played == [[prompt] for prompt in prompts]
    return call


async def test_orders_count_for_the_next_caller_and_outlive_the_engine(scene: Scene) -> None:
    hotline = scene.hotline
    await hears_in_order(scene, "13600136023", "menu-main")
    assert "office is closed" in await order(hotline, "hours", "close", "office", "--for", "1h", "--say", "no-input")
    await order(hotline, "announcements", "on", "welcome")
    await order(hotline, "lists", "add", "block", ANNE, "--reason", "骚扰", "--for", "1d")
    await hears_in_order(scene, "13600136024", "welcome", "no-input", "goodbye")

    hotline_was = hotline.kill("engine")
    await hotline.replaced("engine", hotline_was)
    await hears_in_order(scene, BOB, "welcome", "no-input", "goodbye")
    turned_away = await scene.dial(ANNE, number=NUMBER)
    assert (await turned_away.ended(timeout=5)).code == 486
    row = await scene.row(ANNE)
    assert (row["end_reason"], row["answered_ms"]) == ("rejected", None)

    await order(hotline, "hours", "follow", "office")
    await order(hotline, "announcements", "off", "welcome")
    await order(hotline, "lists", "remove", "block", ANNE)
    await hears_in_order(scene, "13600136025", "menu-main")
