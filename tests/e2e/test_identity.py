"""The identity endpoint's faults are nobody's: the caller goes on, in time, and hears that the line is alive."""

from __future__ import annotations

import asyncio

import pytest

from phones import Call
from tests.e2e.hotline import Json
from tests.e2e.identity_endpoint import Mood
from tests.e2e.scene import GREETING_HZ, MENU_HZ, Scene, only
from tests.e2e.site_of_tones import BLOCKED, IDENTITY_DEADLINE_S, PROMPTS_HZ, VIP

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLER = "13600136007"
LONGEST_SILENCE_S = 1.3


async def hears_menu_without_dead_air(scene: Scene, caller: str) -> Call:
    call = await scene.dial(caller)
    await call.answered()
    assert await call.hears(GREETING_HZ, within=10)
    dead_air = asyncio.ensure_future(call.hears_silence(lasting=LONGEST_SILENCE_S, within=3))
    assert await call.hears(MENU_HZ, within=10)
    await call.hang_up()
    assert not await dead_air
    return call


async def looked_up(scene: Scene, caller: str) -> tuple[Json, Json]:
    row = await scene.row(caller)
    return row, only(await scene.events_of(row), "lookup.finished")


async def test_a_slow_endpoint_costs_its_deadline_and_no_more(scene: Scene) -> None:
    async with scene.hotline.identity.in_mood(Mood.SLOW):
        await hears_menu_without_dead_air(scene, VIP)
    row, finished = await looked_up(scene, VIP)
    assert (finished["outcome"], finished["detail"]) == ("timeout", f"no answer within {IDENTITY_DEADLINE_S:g} s")
    assert IDENTITY_DEADLINE_S * 1000 - 20 <= finished["ms"] < IDENTITY_DEADLINE_S * 1000 + 300
    assert row["customer_name"] == ""


async def test_an_endpoint_that_is_down_costs_nothing(scene: Scene) -> None:
    async with scene.hotline.identity.down():
        await hears_menu_without_dead_air(scene, VIP)
    _, finished = await looked_up(scene, VIP)
    assert finished["outcome"] == "unavailable"
    assert finished["ms"] < 300


async def test_nonsense_is_no_answer(scene: Scene) -> None:
    async with scene.hotline.identity.in_mood(Mood.NONSENSE):
        await hears_menu_without_dead_air(scene, VIP)
    row, finished = await looked_up(scene, VIP)
    assert finished["outcome"] == "invalid"
    assert finished["detail"], "the timeline says no reason"
    assert (row["customer_name"], row["tier"]) == ("", "")


async def test_an_unknown_caller_is_served_as_anybody(scene: Scene) -> None:
    await hears_menu_without_dead_air(scene, CALLER)
    _, finished = await looked_up(scene, CALLER)
    assert finished["outcome"] == "not_found"


async def test_a_blocked_customer_is_told_so_and_hung_up_on(scene: Scene) -> None:
    call = await scene.dial(BLOCKED)
    await call.answered()
    assert await call.hears(PROMPTS_HZ["blocked"], within=10)
    assert (await call.ended(timeout=5)).who == "them"
    row, finished = await looked_up(scene, BLOCKED)
    assert finished["outcome"] == "rejected"
    assert row["end_reason"] == "rejected"
    assert row["flow_path"] == ["main/greet", "main/who", "main/refuse", "main/refused"]


@pytest.mark.hotline("fragile")  # its deadline is long enough to hear music before the answer
async def test_a_caller_hears_music_while_the_endpoint_thinks(scene: Scene) -> None:
    async with scene.hotline.identity.in_mood(Mood.SLOW, answers_after_s=2.2):
        call = await scene.dial(VIP)
        await call.answered()
        assert await call.hears(GREETING_HZ, within=10)
        assert await call.hears_silence(lasting=0.3, within=10), "the greeting never ended"
        assert await call.hears_something(within=1.5), "no music after a second of silence"
        assert await call.hears(MENU_HZ, within=10)
        await call.hang_up()
    _, finished = await looked_up(scene, VIP)
    assert finished["outcome"] == "ok"
