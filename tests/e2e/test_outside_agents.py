"""Agents whose phone may be answered by somebody else: nobody hears the caller before the key was pressed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from engine.config.policies import CONFIRM_S
from phones import Call
from tests.e2e.hotline import Json
from tests.e2e.scene import AGENT_HZ, CALLER_HZ, Scene, kinds_of, only
from tests.e2e.site_of_tones import MUSIC_HZ, OUTSIDE_POOL, PROMPTS_HZ

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNE, BOB, CARL = "13600136061", "13600136062", "13600136063"
CONFIRMING = "8100"
TO_MOBILE, TO_CONFIRMING = "9", "0"
ASKED_HZ = PROMPTS_HZ["take-call"]


@pytest_asyncio.fixture(loop_scope="session")
async def mobile(scene: Scene) -> AsyncIterator[str]:
    """An agent with a mobile phone who has not been missed an offer yet, and the only such one who is at work."""
    agents = {agent["id"]: agent for agent in await scene.hotline.ask("/v1/agents")}
    fresh = next(user for user in OUTSIDE_POOL if not agents[user]["misses"] and not agents[user]["cool_until_ms"])
    for user in OUTSIDE_POOL:
        await scene.intent(user, "ready" if user == fresh else "not_ready")
    yield fresh
    await scene.intent(fresh, "not_ready")


async def hear_each_other(caller: Call, agent: Call) -> None:
    await caller.play_tone(CALLER_HZ)
    await agent.play_tone(AGENT_HZ)
    assert await caller.hears(AGENT_HZ, within=10)
    assert await agent.hears(CALLER_HZ, within=10)


async def missed(scene: Scene, caller: str) -> Json:
    return only(await scene.events_of(await scene.row(caller)), "offer.missed")


async def test_an_outside_agent_is_rung_through_the_trunk_and_takes_the_call_by_a_key(
    scene: Scene, mobile: str
) -> None:
    far_end = await scene.far_end()
    await scene.until_device(mobile, "idle")
    call = await scene.in_line(ANNE, TO_MOBILE)
    ring = await far_end.ringing()
    assert f"1391234{mobile}@" in ring.headers["To"]
    assert ring.caller_number == "4008001234", "a carrier is not shown foreign numbers"
    await ring.answer()
    assert await ring.hears(ASKED_HZ, within=10)
    await call.play_tone(CALLER_HZ)
    assert await call.hears(MUSIC_HZ, within=10)
    assert not await ring.hears(CALLER_HZ, within=0.6), "whoever answered hears the caller before they took the call"

    await ring.press("51")
    await hear_each_other(call, ring)
    await ring.hang_up()
    assert (await call.ended()).who == "them"
    row = await scene.row(ANNE)
    assert (row["agent"], row["end_reason"], row["outside"]) == (mobile, "completed_by_agent", "")
    assert {"offer.ringing", "offer.accepted"} <= set(kinds_of(await scene.events_of(row)))
    await scene.until_agent(mobile, work="idle", device="idle", misses=0)


async def test_a_mailbox_that_answers_has_not_taken_the_call(scene: Scene, mobile: str) -> None:
    far_end = await scene.far_end()
    call = await scene.in_line(ANNE, TO_MOBILE)
    ring = await far_end.ringing()
    await ring.answer()
    assert (await ring.ended(timeout=CONFIRM_S + 3)).who == "them"
    assert await call.hears(MUSIC_HZ, within=10)
    await call.hang_up()
    row = await scene.row(ANNE)
    assert (row["end_reason"], row["agent"], row["talk_ms"]) == ("abandoned_waiting", "", 0)
    assert (await missed(scene, ANNE))["reason"] == "unconfirmed"
    assert (await scene.hotline.agent(mobile))["misses"] == 1


async def test_whoever_answers_outside_and_hangs_up_has_not_taken_the_call(scene: Scene, mobile: str) -> None:
    far_end = await scene.far_end()
    call = await scene.in_line(ANNE, TO_MOBILE)
    ring = await far_end.ringing()
    await ring.answer()
    assert await ring.hears(ASKED_HZ, within=10)
    await ring.hang_up()
    assert await call.hears(MUSIC_HZ, within=10)
    await call.hang_up()
    assert (await missed(scene, ANNE))["reason"] == "unconfirmed"


async def test_a_caller_who_leaves_while_the_key_is_asked_for_takes_the_outside_phone_with_them(
    scene: Scene, mobile: str
) -> None:
    far_end = await scene.far_end()
    call = await scene.in_line(ANNE, TO_MOBILE)
    ring = await far_end.ringing()
    await ring.answer()
    assert await ring.hears(ASKED_HZ, within=10)
    await call.hang_up()
    assert (await ring.ended(timeout=3)).who == "them"
    row = await scene.row(ANNE)
    assert (row["end_reason"], row["talk_ms"]) == ("abandoned_ringing", 0)
    assert "offer.missed" not in kinds_of(await scene.events_of(row))


@pytest.mark.parametrize(("code", "reason"), [(486, "busy"), (480, "no_answer"), (603, "rejected")])
async def test_what_the_carrier_says_of_an_outside_phone_is_not_what_a_desk_phone_means_by_it(
    scene: Scene, mobile: str, code: int, reason: str
) -> None:
    far_end = await scene.far_end()
    call = await scene.in_line(ANNE, TO_MOBILE)
    await (await far_end.ringing()).reject(code)
    assert await call.hears(MUSIC_HZ, within=10)
    await call.hang_up()
    assert (await missed(scene, ANNE))["reason"] == reason


async def test_a_sip_phone_that_confirms_asks_for_the_key_and_the_call_goes_through(scene: Scene) -> None:
    phone = await scene.phone(CONFIRMING)
    call = await scene.in_line(BOB, TO_CONFIRMING)
    ring = await phone.ringing()
    assert ring.caller_number == BOB
    await ring.answer()
    assert await ring.hears(ASKED_HZ, within=10)
    await ring.press("1")
    await hear_each_other(call, ring)
    await call.hang_up()
    assert (await scene.row(BOB))["agent"] == CONFIRMING


@pytest.mark.hotline("fragile")
async def test_an_outside_agent_talks_on_when_the_engine_is_killed_and_the_one_who_is_asked_for_the_key_is_rung_again(
    scene: Scene, mobile: str
) -> None:
    far_end = await scene.far_end()
    call = await scene.in_line(ANNE, TO_MOBILE)
    ring = await far_end.ringing()
    await ring.answer()
    assert await ring.hears(ASKED_HZ, within=10)
    old = scene.hotline.kill("engine")
    await scene.hotline.replaced("engine", old)
    assert (await ring.ended(timeout=3)).who == "them", "nobody would ever take the key"

    again = await far_end.ringing(timeout=15)
    await again.answer()
    assert await again.hears(ASKED_HZ, within=10)
    await again.press("1")
    await hear_each_other(call, again)
    await scene.until_connected(ANNE)
    old = scene.hotline.kill("engine")
    await hear_each_other(call, again)
    await scene.hotline.replaced("engine", old)
    await again.hang_up()
    await call.ended()
    row = await scene.row(ANNE)
    assert (row["agent"], row["end_reason"]) == (mobile, "completed_by_agent")
