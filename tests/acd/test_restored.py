"""After Redis was emptied: what the engines still know is told again, and nobody loses place or conversation."""

from __future__ import annotations

from engine.acd import Device, Empty, Intent, Work
from tests.acd.desk import WRAPUP_MS, Desk, policy

MINDS = policy("any", max_wait_ms=60_000, capacity=1, leave_when=frozenset(Empty))


async def test_conversation_is_where_it_was_whatever_its_queue_would_refuse_by_now(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any", ready=False)
    assert (await desk.calls("talks", MINDS, waited_ms=300_000, hold_ms=60_000)).refused == ""
    assert await desk.acd.restore("talks", "8001", talked_ms=200_000) is True
    await desk.ready("8001")
    agent = await desk.agent("8001")
    assert (agent.work, agent.item, agent.ready) == (Work.TALKING, "talks", ())
    await desk.passes(600_000)
    assert desk.released == []
    assert await desk.acd.leave("talks", reason="completed") is True
    assert (await desk.agent("8001")).work == Work.WRAPUP
    await desk.passes(WRAPUP_MS)
    assert (await desk.agent("8001")).ready == ("voice",)


async def test_agent_who_was_ready_already_is_ready_no_more(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("talks", hold_ms=60_000)
    await desk.acd.restore("talks", "8001")
    assert (await desk.calls("next")).position == 1
    await desk.acd.leave("talks", reason="completed")
    await desk.acd.wrapup("8001", 0)
    assert desk.offered() == [("next", "8001")]


async def test_only_a_held_item_of_a_known_agent_is_restored(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("waits")
    await desk.calls("held", hold_ms=60_000)
    assert await desk.acd.restore("waits", "8001") is False
    assert await desk.acd.restore("held", "8009") is False
    assert await desk.acd.restore("gone", "8001") is False
    assert await desk.acd.restore("held", "8001") is True
    assert await desk.acd.restore("held", "8001") is False


async def test_waiting_callers_stand_in_the_order_in_which_they_came(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.acd.agent("8001", intent=Intent.NOT_READY, device=Device.IDLE)
    for item, waited_ms in (("second", 20_000), ("third", 10_000), ("first", 30_000)):
        await desk.calls(item, waited_ms=waited_ms)
    assert [item.id for item in await desk.acd.waiting("sales")] == ["first", "second", "third"]
