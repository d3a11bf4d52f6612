"""What a carrier may not do."""

from __future__ import annotations

import pytest

from phones import CallEnded
from tests.e2e.scene import Scene, kinds_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLER = "13600136006"


async def test_a_400_number_that_is_not_ours_is_refused_and_accounted_for(scene: Scene) -> None:
    call = await scene.dial(CALLER, number="4009999999")
    assert (await call.ended()).code == 404
    row = await scene.row(CALLER)
    assert (row["end_reason"], row["dialled"], row["answered_ms"]) == ("rejected", "4009999999", None)
    assert kinds_of(await scene.events_of(row)) == ["call.arrived", "call.ended"]


async def test_a_trunk_reaches_nothing_but_hotline_numbers(scene: Scene) -> None:
    agent = await scene.agent()
    for outside in (
        scene.user(agent),
        "8001",
        "13912345678",
        "00441632960000",
        "s",
        "*43",
        "h",
        "i",
        "fallback",
        "400",
    ):
        call = await scene.dial(CALLER, number=outside, accounted=False)
        with pytest.raises(CallEnded) as refused:
            await call.rings()
        # 484: could still become a 400 number, if more digits came
        assert getattr(refused.value.end, "code", 0) == (484 if outside == "400" else 404), outside
    assert agent.received == []
    assert await scene.hotline.active_calls() == []
