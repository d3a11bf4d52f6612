"""Calls to the outside: through a trunk that lists the number, and no other way."""

from __future__ import annotations

import asyncio

import pytest

from phones import Call, CallEnded, Carrier, NotInTime
from tests.e2e.hotline import Json
from tests.e2e.scene import AGENT_HZ, CALLER_HZ, SOON_S, Scene, kinds_of, only
from tests.e2e.site_of_tones import PROMPTS_HZ
from tests.e2e.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNE, BOB, CARL = "13600136051", "13600136052", "13600136053"
OUTSIDE, KEYED = "4008001201", "4008001202"
RING_BACK_HZ = 450  # asterisk_conf/indications.conf

OUTCOME_HZ = {
    "busy": PROMPTS_HZ["all-agents-busy"],
    "no_answer": PROMPTS_HZ["no-input"],
    "unreachable": PROMPTS_HZ["goodbye"],
    "refused": PROMPTS_HZ["blocked"],
}


async def hear_each_other(caller: Call, far: Call) -> None:
    await caller.play_tone(CALLER_HZ)
    await far.play_tone(AGENT_HZ)
    assert await caller.hears(AGENT_HZ, within=10)
    assert await far.hears(CALLER_HZ, within=10)


async def keyed(scene: Scene, caller: str, number: str) -> Call:
    """A caller who has keyed in a number to be sent to."""
    call = await scene.dial(caller, number=KEYED)
    await call.answered()
    await call.press(f"{number}#")
    return call


async def outcome(scene: Scene, caller: str) -> Json:
    """What the engine says of a call to the outside that nobody took."""
    return only(await scene.events_of(await scene.row(caller)), "outside.failed")


async def test_the_caller_and_the_far_end_talk_and_the_row_says_whom_they_reached(scene: Scene) -> None:
    far_end = await scene.far_end()
    call = await scene.dial(ANNE, number=OUTSIDE)
    ring = await far_end.ringing()
    assert ring.caller_number == "4008001234"
    assert "02188881234@" in ring.headers["To"]
    await call.rings()
    await ring.answer()
    await call.answered()
    await hear_each_other(call, ring)

    await ring.hang_up()
    assert (await call.ended()).who == "them"
    row = await scene.row(ANNE)
    assert (row["end_reason"], row["outside"], row["agent"]) == ("completed_by_outside", "+862188881234", "")
    assert row["answered_ms"] <= row["connected_ms"] <= row["ended_ms"]
    assert row["talk_ms"] == row["ended_ms"] - row["connected_ms"] > 0
    assert row["queued_ms"] is None
    events = await scene.events_of(row)
    assert [kind for kind in kinds_of(events) if not kind.startswith("ivr.")] == [
        "call.arrived",
        "outside.dialled",
        "outside.answered",
        "call.answered",
        "bridge.started",
        "bridge.ended",
        "call.ended",
    ]
    assert only(events, "outside.dialled")["trunk"] == "demo-carrier"
    assert only(events, "bridge.started")["outside"] == "+862188881234"
    assert only(events, "bridge.ended")["by"] == "outside"


@pytest.mark.parametrize(
    ("code", "said"),
    [(486, "busy"), (603, "busy"), (480, "no_answer"), (404, "unreachable"), (503, "unreachable"), (403, "refused")],
)
async def test_what_the_network_says_leads_to_its_branch(scene: Scene, code: int, said: str) -> None:
    far_end = await scene.far_end()
    call = await scene.dial(ANNE, number=OUTSIDE)
    await (await far_end.ringing()).reject(code)
    await call.answered()
    assert await call.hears(OUTCOME_HZ[said], within=10)
    await call.ended()
    row = await scene.row(ANNE)
    assert row["flow_path"][:2] == ["outside/call", f"outside/{said}"]
    assert (row["outside"], row["talk_ms"], row["connected_ms"]) == ("", 0, None)
    failed = await outcome(scene, ANNE)
    assert (failed["reason"], failed["tech_cause"]) == (said, code)


async def test_a_far_end_that_nobody_answers_stops_ringing(scene: Scene) -> None:
    far_end = await scene.far_end()
    call = await scene.dial(ANNE, number=OUTSIDE)
    ring = await far_end.ringing()
    assert (await ring.ended(timeout=6)).who == "them"
    await call.answered()
    assert await call.hears(OUTCOME_HZ["no_answer"], within=10)
    await call.hang_up()
    assert (await outcome(scene, ANNE))["ring_ms"] >= 3900


async def test_a_caller_who_gives_up_takes_the_far_ends_ringing_with_them(scene: Scene) -> None:
    far_end = await scene.far_end()
    call = await scene.dial(ANNE, number=OUTSIDE)
    ring = await far_end.ringing()
    await call.hang_up()
    assert (await ring.ended()).who == "them"
    row = await scene.row(ANNE)
    assert (row["end_reason"], row["outside"]) == ("abandoned_ringing", "")


async def test_a_caller_who_leaves_the_conversation_ends_it(scene: Scene) -> None:
    far_end = await scene.far_end()
    call = await scene.dial(ANNE, number=OUTSIDE)
    ring = await far_end.ringing()
    await ring.answer()
    await scene.until_connected(ANNE)
    await call.hang_up()
    assert (await ring.ended()).who == "them"
    row = await scene.row(ANNE)
    assert (row["end_reason"], row["outside"]) == ("completed_by_caller", "+862188881234")


async def test_a_caller_who_was_answered_hears_ringing_and_the_flow_once_the_far_end_has_left(scene: Scene) -> None:
    far_end = await scene.far_end()
    call = await keyed(scene, ANNE, "13912345678")
    ring = await far_end.ringing()
    assert "13912345678@" in ring.headers["To"]
    assert await call.hears(RING_BACK_HZ, within=10)
    await ring.answer()
    await hear_each_other(call, ring)
    await ring.hang_up()
    assert await call.hears(PROMPTS_HZ["goodbye"], within=10)
    await call.ended()
    row = await scene.row(ANNE)
    assert row["end_reason"] == "completed_by_outside"
    events = await scene.events_of(row)
    left, told = only(events, "bridge.ended"), [event for event in events if event["type"] == "ivr.played"][-1]
    assert told["at"] - left["at"] < 1000, "the caller hears nothing after the far end has left"


@pytest.mark.parametrize(
    "forbidden",
    ["13900123456", "13812345678", "00442079460000", "110", "4008001234", "16899999", "8011", "*43"],
)
async def test_a_caller_who_keys_a_forbidden_number_gets_nowhere(scene: Scene, forbidden: str) -> None:
    far_end, agent = await scene.far_end(), await scene.phone("8011")
    call = await keyed(scene, ANNE, forbidden)
    assert await call.hears(PROMPTS_HZ["blocked"], within=SOON_S)
    await call.ended()
    assert far_end.received == agent.received == []
    failed = await outcome(scene, ANNE)
    assert (failed["reason"], failed["tech_cause"]) == ("refused", None)


async def test_a_trunk_carries_no_more_calls_than_it_may(scene: Scene) -> None:
    far_end = await scene.far_end()
    talking = []
    for caller in (ANNE, BOB):
        call = await scene.dial(caller, number=OUTSIDE)
        await (await far_end.ringing()).answer()
        talking.append(call)
    third = await scene.dial(CARL, number=OUTSIDE)
    await third.answered()
    assert await third.hears(OUTCOME_HZ["unreachable"], within=10)
    assert len(far_end.received) == 2
    assert (await outcome(scene, CARL))["detail"] == "all_lines_taken"

    await talking[0].hang_up()
    await scene.row(ANNE)
    again = await scene.dial("13600136054", number=OUTSIDE)
    await (await far_end.ringing()).answer()
    await again.answered()


async def test_a_far_end_that_forwards_the_call_forwards_it_nowhere(scene: Scene) -> None:
    far_end, agent = await scene.far_end(), await scene.phone("8011")
    for target in ("8011", "13912345678", "4008001234", "8011@127.0.0.1"):
        call = await scene.dial(ANNE, number=OUTSIDE)
        ring = await far_end.ringing()
        await ring.forward(f"sip:{target}" if "@" in target else f"sip:{target}@{scene.hotline.sip}")
        await call.answered()
        assert await call.hears(OUTCOME_HZ["unreachable"], within=10), target
        await call.ended()
    assert agent.received == []
    assert len(far_end.received) == 4


async def test_no_number_that_a_carrier_dials_comes_out_of_a_trunk_again(scene: Scene) -> None:
    far_end = await scene.far_end()
    for number in ("13912345678", "013912345678", "+8613912345678", "02188881234", "9013912345678", "demo-carrier"):
        call = await scene.dial(ANNE, number=number, accounted=False)
        with pytest.raises(CallEnded) as refused:
            await call.rings()
        assert getattr(refused.value.end, "code", 0) == 404, number
    assert far_end.received == []
    assert await scene.hotline.active_calls() == []


async def test_a_carrier_cannot_transfer_its_call_to_the_outside(scene: Scene) -> None:
    far_end = await scene.far_end()
    call = await scene.in_menu(ANNE)
    for number in ("13912345678", "02188881234"):
        await call.transfer(f"sip:{number}@{scene.hotline.sip}")
    with pytest.raises(NotInTime):
        await far_end.ringing(timeout=1)
    await call.hang_up()


async def connected_outside(scene: Scene, far_end: Carrier, caller: str) -> tuple[Call, Call]:
    call = await scene.dial(caller, number=OUTSIDE)
    ring = await far_end.ringing()
    await ring.answer()
    await scene.until_connected(caller)
    return call, ring


@pytest.mark.hotline("fragile")
async def test_those_who_talk_outside_talk_on_when_the_engine_is_killed_and_each_has_one_row(scene: Scene) -> None:
    far_end = await scene.far_end()
    stays, stays_ring = await connected_outside(scene, far_end, ANNE)
    left, left_ring = await connected_outside(scene, far_end, BOB)
    old = scene.hotline.kill("engine")
    await hear_each_other(stays, stays_ring)
    await left_ring.hang_up()
    await scene.hotline.replaced("engine", old)
    assert (await left.ended()).who == "them"
    await hear_each_other(stays, stays_ring)

    third = await scene.dial(CARL, number=OUTSIDE)
    further = await far_end.ringing()  # one of the trunk's two lines is known to be taken, the other to be free
    await further.answer()
    fourth = await scene.dial("13600136054", number=OUTSIDE)
    await fourth.answered()
    assert await fourth.hears(OUTCOME_HZ["unreachable"], within=10)
    await third.hang_up()

    await stays_ring.hang_up()
    await stays.ended()
    for caller in (ANNE, BOB):
        row = await scene.row(caller)
        assert (row["end_reason"], row["outside"]) == ("completed_by_outside", "+862188881234")
        assert row["talk_ms"] > 0
        assert only(await scene.events_of(row), "call.recovered")["phase"] == "talking"


@pytest.mark.hotline("fragile")
async def test_a_far_end_that_rang_when_the_engine_was_killed_is_rung_again(scene: Scene) -> None:
    far_end = await scene.far_end()
    call = await scene.dial(ANNE, number=OUTSIDE)
    ring = await far_end.ringing()
    old = scene.hotline.kill("engine")
    await scene.hotline.replaced("engine", old)
    assert (await ring.ended(timeout=3)).who == "them", "an orphaned leg rings on"
    again = await far_end.ringing()
    await again.answer()
    await call.answered()
    await hear_each_other(call, again)
    await call.hang_up()
    row = await scene.row(ANNE)
    assert (row["end_reason"], row["outside"]) == ("completed_by_caller", "+862188881234")
    assert only(await scene.events_of(row), "call.recovered")["phase"] == "dialling"


async def test_whatever_moment_a_caller_leaves_in_nothing_is_left_over(scene: Scene) -> None:
    far_end = await scene.far_end()
    far_end.auto_answer(after_s=0.0)
    for n, moment_s in enumerate((0.0, 0.02, 0.04, 0.06, 0.1, 0.2)):
        call = await scene.dial(f"136001390{n:02}", number=OUTSIDE, accounted=None)
        await asyncio.sleep(moment_s)
        await call.hang_up()

    async def quiet() -> bool:
        return not await scene.hotline.active_calls()

    await until(quiet, within=SOON_S, what="no call is left")
