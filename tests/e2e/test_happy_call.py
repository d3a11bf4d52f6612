"""The call that everything is there for."""

from __future__ import annotations

import pytest

from tests.e2e.scene import AGENT_HZ, CALLER_HZ, GREETING_HZ, MENU_HZ, Scene, kinds_of, only
from tests.e2e.site_of_tones import ORDINARY, ORDINARY_NAME, VIP, VIP_NAME

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_customer_is_greeted_recognised_asked_connected_and_accounted_for(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.dial(VIP)
    await call.answered()
    assert await call.hears(GREETING_HZ, within=10)
    assert await call.hears(MENU_HZ, within=10)
    await call.press("1")

    ring = await agent.ringing()
    assert (ring.caller_name, ring.caller_number) == (VIP_NAME, VIP)
    await ring.answer()
    await call.play_tone(CALLER_HZ)
    await ring.play_tone(AGENT_HZ)
    assert await call.hears(AGENT_HZ, within=10)
    assert await ring.hears(CALLER_HZ, within=10)

    await call.hang_up()
    assert (await ring.ended()).who == "them"

    row = await scene.row(VIP)
    assert row["dialled"] == "4008001234"
    assert row["presentation"] == "allowed"
    assert row["area"].startswith("北京")
    assert (row["customer_name"], row["tier"]) == (VIP_NAME, "VIP")
    assert row["flow_path"] == ["main/greet", "main/who", "main/menu", "main/sales"]
    assert (row["queue"], row["agent"], row["offers"]) == ("sales", scene.user(agent), 1)
    assert row["end_reason"] == "completed_by_caller"
    assert row["arrived_ms"] <= row["answered_ms"] <= row["queued_ms"] <= row["connected_ms"] <= row["ended_ms"]
    assert row["talk_ms"] == row["ended_ms"] - row["connected_ms"] > 0
    assert row["wait_ms"] == row["connected_ms"] - row["queued_ms"]
    assert 0 < row["ring_ms"] <= row["wait_ms"] + 50

    events = await scene.events_of(row)
    assert [kind for kind in kinds_of(events) if not kind.startswith("ivr.")] == [
        "call.arrived",
        "call.answered",
        "lookup.started",
        "lookup.finished",
        "call.identified",
        "item.enqueued",
        "offer.created",
        "offer.ringing",
        "offer.accepted",
        "bridge.started",
        "bridge.ended",
        "item.ended",
        "wrapup.started",
        "call.ended",
        *(["wrapup.ended"] if "wrapup.ended" in kinds_of(events) else []),
    ]
    assert only(events, "call.identified")["outcome"] == "ok"
    assert only(events, "ivr.digit")["digit"] == "1"
    assert only(events, "item.enqueued")["head_start_ms"] == 300_000
    assert only(events, "bridge.ended")["by"] == "caller"


async def test_after_the_agent_hangs_up_they_wrap_up_and_are_ready_again(scene: Scene) -> None:
    agent = await scene.agent()
    call, ring = await scene.talking(ORDINARY, agent)
    assert ring.caller_name == ORDINARY_NAME

    await ring.hang_up()
    assert (await call.ended()).who == "them"

    await scene.until_agent(scene.user(agent), work="wrapup", intent="ready")
    ready = await scene.until_agent(scene.user(agent), work="idle", intent="ready", device="idle")
    assert ready["cool_until_ms"] == ready["misses"] == 0
    row = await scene.row(ORDINARY)
    assert (row["end_reason"], row["tier"], row["agent"]) == ("completed_by_agent", "ordinary", scene.user(agent))
    ended = await scene.event(row, "wrapup.ended")
    events = await scene.events_of(row)
    assert only(events, "bridge.ended")["by"] == "agent"
    assert only(events, "wrapup.started")["agent"] == ended["agent"] == scene.user(agent)


async def test_an_anonymous_caller_is_served_and_has_no_number_in_the_row(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.dial("anonymous@anonymous.invalid", display="Anonymous", headers={"Privacy": "id"})
    await call.answered()
    assert await call.hears(MENU_HZ, within=10)
    await call.press("1")
    ring = await agent.ringing()
    assert ring.caller_number == "anonymous"
    await ring.answer()
    await call.play_tone(CALLER_HZ)
    assert await ring.hears(CALLER_HZ, within=10)
    await call.hang_up()

    row = await scene.row("")
    assert (row["number"], row["presentation"], row["customer_name"]) == ("", "restricted", "")
    assert only(await scene.events_of(row), "call.identified")["outcome"] == "not_found"
