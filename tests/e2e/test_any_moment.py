"""Hang-ups and crashes in the moments between two steps: what `scene` checks afterwards is the test."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.scene import Scene
from tests.e2e.waiting import until_none

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNE = "13600136041"
# From the key to the agent's 200 it takes some 10 to 40 ms here: these fall before, into and after it.
MOMENTS_S = (0.0, 0.205, 0.21, 0.215, 0.22, 0.23, 0.24, 0.25, 0.27, 0.3, 0.35, 0.5)


async def test_a_caller_may_hang_up_in_any_moment_around_the_answer(scene: Scene) -> None:
    for agent in await scene.agents(3):
        agent.auto_answer(after_s=0.0)
    numbers = [f"136001370{n:02}" for n in range(len(MOMENTS_S))]
    for number, moment_s in zip(numbers, MOMENTS_S, strict=True):
        call = await scene.dial(number)
        await call.answered()
        await call.press("1")
        await asyncio.sleep(moment_s)
        await call.hang_up()
    reasons = {(await scene.row(number))["end_reason"] for number in numbers}
    assert reasons <= {"abandoned_ivr", "abandoned_waiting", "abandoned_ringing", "completed_by_caller"}


@pytest.mark.hotline("fragile")
async def test_an_engine_killed_in_the_moment_of_the_answer_loses_no_caller(scene: Scene) -> None:
    first, other = await scene.agents(2)
    call = await scene.queued(ANNE)
    ring = await first.ringing()
    other.auto_answer(after_s=0.0)  # in case the answer was not yet on record: then the caller is offered again
    await ring.answer()
    old = scene.hotline.kill("engine")
    await scene.hotline.replaced("engine", old)
    await scene.until_connected(ANNE)
    await call.hang_up()
    row = await scene.row(ANNE)
    assert row["end_reason"] == "completed_by_caller"
    assert row["agent"] in (scene.user(first), scene.user(other))
    assert row["talk_ms"] > 0


@pytest.mark.hotline("fragile")
async def test_a_bridge_of_an_engine_that_died_before_noting_it_does_not_stay(scene: Scene) -> None:
    await scene.queued(ANNE)
    (record,) = await scene.hotline.active_calls()
    old = scene.hotline.kill("engine")
    await scene.hotline.ari(f"bridges/{record['id']}-b1?type=mixing", "POST")
    await scene.hotline.replaced("engine", old)

    async def bridges() -> list[str]:
        return [bridge["id"] for bridge in await scene.hotline.ari("bridges")]

    await until_none(bridges, within=3)
