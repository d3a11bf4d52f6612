"""A customer who has an agent of their own: the endpoint names their owner, or the step says who it is to be."""

from __future__ import annotations

import time

import pytest

from phones import Call
from tests.e2e.scene import Scene, only
from tests.e2e.site_of_tones import RULES_POOL, VIP
from tests.e2e.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWN_AGENT = "4008001219"
# 张三's, says examples/identity_server; able to do nothing that the queues ask for.
OWNER = "8001"
PATIENCE_S = 5.0
OTHER = "13600136095"

by_owner_and_by_step = pytest.mark.parametrize("key", ["1", "2"], ids=["owner", "step"])


async def waits(scene: Scene, key: str) -> Call:
    """The customer, in the line that the key leads to."""
    call = await scene.dial(VIP, number=OWN_AGENT)
    await call.answered()
    await call.press(key)
    await scene.until_active(VIP, "phase", "waiting", "talking")
    return call


@by_owner_and_by_step
async def test_a_customer_reaches_their_own_agent_whoever_has_been_idle_longer(scene: Scene, key: str) -> None:
    (idle_longer,) = await scene.agents(1, RULES_POOL)
    own = await scene.phone(OWNER)
    call = await waits(scene, key)
    ring = await own.ringing()
    assert ring.caller_number == VIP
    await ring.answer()
    await scene.until_connected(VIP)
    await call.hang_up()
    assert idle_longer.received == []
    row = await scene.row(VIP)
    assert row["agent"] == OWNER
    assert only(await scene.events_of(row), "offer.created")["agent"] == OWNER
    await scene.until_agent(OWNER, work="idle")


@by_owner_and_by_step
async def test_a_customer_whose_own_agent_is_not_at_work_reaches_anybody_at_once(scene: Scene, key: str) -> None:
    (other,) = await scene.agents(1, RULES_POOL)
    call = await waits(scene, key)
    ring = await other.ringing(timeout=3)
    assert ring.caller_number == VIP
    await ring.answer()
    await scene.until_connected(VIP)
    await call.hang_up()


@by_owner_and_by_step
async def test_a_customer_waits_a_while_for_their_own_agent_and_not_for_ever(scene: Scene, key: str) -> None:
    own = await scene.phone(OWNER)
    talking = await scene.dial(OTHER, number="4008001203")
    await talking.answered()
    await talking.press(OWNER)
    await (await own.ringing()).answer()
    await scene.until_connected(OTHER)

    (other,) = await scene.agents(1, RULES_POOL)
    await waits(scene, key)

    async def queued() -> int | None:
        return next((c["queued_ms"] for c in await scene.hotline.active_calls() if c["raw"] == VIP), None)

    queued_ms = await until(queued, within=3, what="the customer is in line")
    ring = await other.ringing(timeout=PATIENCE_S + 3)
    assert ring.caller_number == VIP
    assert queued_ms is not None
    assert time.time() * 1000 - queued_ms > PATIENCE_S * 1000 - 100
    await talking.hang_up()
