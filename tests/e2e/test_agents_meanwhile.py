"""What agents and their phones do beside the queue's calls: calls of their own, do-not-disturb, breaks while it rings,
and phones that are not what the configuration says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from phones import Call
from tests.e2e.hotline import Json
from tests.e2e.scene import SOON_S, Scene, only
from tests.e2e.site_of_tones import MUSIC_HZ, RULES_POOL
from tests.e2e.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNE, BOB = "13600136091", "13600136092"
PATIENT = "3"


async def missed(scene: Scene, caller: str) -> Json:
    return only(await scene.events_of(await scene.row(caller)), "offer.missed")


async def test_an_agent_on_a_call_of_their_own_is_not_rung_before_it_is_over(scene: Scene) -> None:
    (agent,) = await scene.agents(1, RULES_POOL)
    user = scene.user(agent)
    own = await agent.call("*43")
    await own.answered()
    await scene.until_device(user, "busy")
    call = await scene.in_line(ANNE, PATIENT)
    assert await call.hears(MUSIC_HZ, within=10)
    assert agent.received == []
    await own.hang_up()
    ring = await agent.ringing()
    assert ring.caller_number == ANNE
    await ring.answer()
    await scene.until_connected(ANNE)
    await call.hang_up()
    assert (await scene.row(ANNE))["offers"] == 1


async def test_an_agent_whom_a_colleague_has_called_is_not_rung_before_that_is_over(scene: Scene) -> None:
    calling, called = await scene.agents(2, RULES_POOL)
    own = await calling.call(scene.user(called))
    talk = await called.ringing()
    await talk.answer()
    for agent in (calling, called):
        await scene.until_device(scene.user(agent), "busy")
    call = await scene.in_line(ANNE, PATIENT)
    assert await call.hears(MUSIC_HZ, within=10)
    assert (len(calling.received), len(called.received)) == (0, 1)
    await own.hang_up()

    async def rings() -> bool:
        return len(calling.received) + len(called.received) == 2

    await until(rings, within=SOON_S, what="the phone of one of them rings for the caller")


async def test_an_agent_who_logs_out_while_their_phone_rings_takes_that_call_and_no_other(scene: Scene) -> None:
    (agent,) = await scene.agents(1, RULES_POOL)
    user = scene.user(agent)
    call = await scene.in_line(ANNE, PATIENT)
    ring = await agent.ringing()
    await scene.until_agent(user, work="ringing")
    await scene.intent(user, "logged_out")
    try:
        await scene.until_agent(user, intent="logged_out", work="ringing")
        await ring.answer()
        await scene.until_connected(ANNE)
        await call.hang_up()
        await scene.until_agent(user, intent="logged_out", work="idle")  # the wrap-up has not made them ready again
        behind = await scene.in_line(BOB, "1")
        assert await behind.hears(MUSIC_HZ, within=10)
        assert len(agent.received) == 1
    finally:
        await scene.intent(user, "ready")
    assert (await agent.ringing()).caller_number == BOB


async def test_a_break_that_begins_while_the_phone_rings_is_what_it_was_after_the_miss(scene: Scene) -> None:
    (agent,) = await scene.agents(1, RULES_POOL)
    user = scene.user(agent)
    call = await scene.in_line(ANNE, PATIENT)
    ring = await agent.ringing()
    await scene.until_agent(user, work="ringing")
    await scene.intent(user, "not_ready")
    await ring.reject()
    after = await scene.until_agent(user, intent="not_ready", work="idle")
    assert after["reason"] == "by hand"
    assert await call.hears(MUSIC_HZ, within=10)
    assert len(agent.received) == 1


async def test_an_idle_phone_that_is_busy_without_ringing_does_not_want_to_be_disturbed(scene: Scene) -> None:
    (agent,) = await scene.agents(1, RULES_POOL)
    user = scene.user(agent)
    await agent.refuse_all(486)
    call = await scene.in_line(ANNE, PATIENT)

    async def cooling() -> bool:
        return bool((await scene.hotline.agent(user))["cool_until_ms"])

    await until(cooling, within=SOON_S, what="the agent is left alone for a while")
    assert await call.hears(MUSIC_HZ, within=10)
    await call.hang_up()
    miss = await missed(scene, ANNE)
    assert (miss["reason"], int(miss["tech_cause"])) == ("dnd", 486)
    assert (await scene.hotline.agent(user))["misses"] == 0, "nobody has ignored anything"


async def test_an_agent_who_twice_in_a_row_does_not_want_to_be_disturbed_is_not_ready(scene: Scene) -> None:
    (agent,) = await scene.agents(1, RULES_POOL)
    user = scene.user(agent)
    await agent.refuse_all(486)
    call = await scene.in_line(ANNE, PATIENT)
    try:
        # After the first time they are left alone for ten seconds.
        await scene.until_agent(user, intent="not_ready", reason="dnd", within=15)
        assert await call.hears(MUSIC_HZ, within=10)
        await call.hang_up()
        misses = [e for e in await scene.events_of(await scene.row(ANNE)) if e["type"] == "offer.missed"]
        assert [miss["reason"] for miss in misses] == ["dnd", "dnd"]
    finally:
        await scene.intent(user, "ready")


def refusal(code: int) -> Callable[[Call], Awaitable[None]]:
    return lambda ring: ring.reject(code)


@pytest.mark.parametrize(
    ("answer", "reason", "intent", "alarm"),
    [
        (lambda ring: ring.forward("sip:8011@127.0.0.1"), "dnd", "ready", ""),
        (refusal(404), "wrong_number", "not_ready", "the phone knows no such user"),
        (refusal(488), "failed", "ready", "the phone accepts none of our codecs"),
        (refusal(480), "dnd", "ready", ""),
        (refusal(503), "failed", "ready", ""),
    ],
    ids=["302", "404", "488", "480", "503"],
)
async def test_a_phone_that_is_not_what_we_think_is_passed_over_and_the_admin_told(
    scene: Scene, answer: Callable[[Call], Awaitable[None]], reason: str, intent: str, alarm: str
) -> None:
    odd, following = await scene.agents(2, RULES_POOL)
    user = scene.user(odd)
    call = await scene.in_line(ANNE, PATIENT)
    await answer(await odd.ringing())
    ring = await following.ringing()
    await ring.answer()
    await scene.until_connected(ANNE)
    await call.hang_up()
    assert (await missed(scene, ANNE))["reason"] == reason
    assert (await scene.hotline.agent(user))["intent"] == intent
    said = [line for line in scene.hotline.fresh_log().splitlines() if "offer.misconfigured" in line and user in line]
    assert bool(said) is bool(alarm), said
    assert all(alarm in line for line in said)
