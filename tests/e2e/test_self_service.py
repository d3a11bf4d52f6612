"""An `http` step on a real call, and the engine killed while it waits for the answer."""

from __future__ import annotations

import pytest

from tests.e2e.identity_endpoint import Mood
from tests.e2e.scene import SOON_S, Scene, only
from tests.e2e.site_of_tones import PROMPTS_HZ
from tests.e2e.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.hotline("fragile")]

NUMBER = "4008001217"
CALLER = "13600136081"


async def test_a_request_of_a_killed_engine_is_asked_again_by_the_next_as_the_same(scene: Scene) -> None:
    endpoint = scene.hotline.identity
    asked_before = len(endpoint.asked)

    def keys() -> list[str]:
        return [key for path, key in endpoint.asked[asked_before:] if path == "/orders/20261001"]

    async def asked(times: int) -> bool:
        return len(keys()) >= times

    async with endpoint.in_mood(Mood.SLOW, answers_after_s=20):
        call = await scene.dial(CALLER, number=NUMBER)
        await call.answered()
        await until(lambda: asked(1), within=SOON_S, what="the endpoint is asked")
        old = scene.hotline.kill("engine")
    await scene.hotline.replaced("engine", old)
    assert await call.hears(PROMPTS_HZ["goodbye"], within=SOON_S)
    await call.ended(timeout=SOON_S)

    assert len(keys()) == 2 and len({*keys()}) == 1, keys()
    row = await scene.row(CALLER)
    assert row["flow_path"] == [f"self_service/{step}" for step in ("greet", "order", "right", "end")]
    finished = only(await scene.events_of(row), "http.finished")
    assert (finished["request"], finished["outcome"], finished["saved"]) == (keys()[0], "ok", ["status"])
