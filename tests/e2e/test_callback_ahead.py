"""Customers who are called while their agent still wraps up, so that both are there when that is over."""

from __future__ import annotations

import pytest

from engine.api.client import ask
from phones import Call, Phone, State
from tests.e2e.hotline import Json
from tests.e2e.scene import SOON_S, Scene, only
from tests.e2e.site_of_tones import BACK_POOL, MUSIC_HZ
from tests.e2e.test_callback import AHEAD, asks, callback, customer_answers, events, hear_each_other
from tests.e2e.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def wraps_up(scene: Scene, before: str, customer: str) -> tuple[Phone, Json]:
    """An agent who has just talked with somebody, while somebody else asked to be called back; and their wrap-up."""
    (agent,) = await scene.agents(1, BACK_POOL)
    talks = await scene.dial(before, number=AHEAD)
    ring = await agent.ringing()
    await ring.answer()
    await hear_each_other(talks, ring)
    await asks(scene, customer, AHEAD)
    await callback(scene, customer, "waiting")
    await talks.hang_up()
    return agent, await hand(scene, agent, "wrapup")


async def hand(scene: Scene, agent: Phone, work: str) -> Json:
    """What the agent has at hand of this kind of work."""

    async def there() -> Json | None:
        hands = (await scene.hotline.agent(scene.user(agent)))["hands"]
        return next((hand for hand in hands if hand["work"] == work), None)

    found = await until(there, within=SOON_S, what=f"the agent has something {work}")
    assert found is not None
    return found


async def wrap_up(scene: Scene, agent: Phone, **change: object) -> None:
    await ask(scene.hotline.state.api_socket, f"/v1/agents/{scene.user(agent)}/wrapup", body=change)


async def waits_with_music(scene: Scene, at_customer: Call) -> None:
    scene.expect_another_row()
    await at_customer.press("1")
    assert await at_customer.hears(MUSIC_HZ, within=SOON_S)


async def test_the_customer_s_phone_rings_during_the_wrap_up_and_the_agent_s_when_it_is_over(scene: Scene) -> None:
    lea, far_end = "13912340021", await scene.far_end()
    agent, wraps = await wraps_up(scene, "13912340020", lea)
    asked = await callback(scene, lea)
    at_customer = await customer_answers(far_end)
    assert at_customer.at_ms[State.RINGING] < wraps["until_ms"]
    reserved = await hand(scene, agent, "reserved")
    assert (reserved["until_ms"], reserved["item"] != wraps["item"]) == (wraps["until_ms"], True)
    await waits_with_music(scene, at_customer)
    assert len(agent.received) == 1, "nobody is rung while they wrap up"

    at_agent = await agent.ringing()
    assert at_agent.at_ms[State.RINGING] >= wraps["until_ms"]
    await at_agent.answer()
    await hear_each_other(at_customer, at_agent)
    await at_customer.hang_up()
    await callback(scene, lea, "done")
    created = only(await events(scene, asked), "offer.created")
    assert 0 < created["free_in_ms"] <= 6_000
    assert created["at"] + created["free_in_ms"] == wraps["until_ms"]


async def test_who_skips_the_rest_of_their_wrap_up_is_rung_at_once(scene: Scene) -> None:
    max_, far_end = "13912340023", await scene.far_end()
    agent, wraps = await wraps_up(scene, "13912340022", max_)
    at_customer = await customer_answers(far_end)
    await waits_with_music(scene, at_customer)
    await wrap_up(scene, agent, skip=True)
    at_agent = await agent.ringing()
    assert at_agent.at_ms[State.RINGING] < wraps["until_ms"]
    await at_agent.answer()
    await hear_each_other(at_customer, at_agent)
    await at_agent.hang_up()
    await callback(scene, max_, "done")


async def test_who_wraps_up_longer_is_not_rung_and_the_customer_waits_for_whoever_is_free_first(scene: Scene) -> None:
    nina, far_end = "13912340025", await scene.far_end()
    agent, _ = await wraps_up(scene, "13912340024", nina)
    at_customer = await far_end.ringing()
    await wrap_up(scene, agent, extend_s=60)
    await at_customer.answer()
    await waits_with_music(scene, at_customer)
    assert [hand["work"] for hand in (await scene.hotline.agent(scene.user(agent)))["hands"]] == ["wrapup"]
    (other,) = await scene.agents(1, BACK_POOL)
    at_other = await other.ringing()
    await at_other.answer()
    await hear_each_other(at_customer, at_other)
    assert len(agent.received) == 1
    await at_customer.hang_up()
    await callback(scene, nina, "done")
    await wrap_up(scene, agent, skip=True)
