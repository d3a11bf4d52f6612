"""Extensions: the very agent who was dialled, or a branch, and what a caller hears who does not reach them."""

from __future__ import annotations

import pytest

from phones import Call, Phone
from tests.e2e.scene import AGENT_HZ, CALLER_HZ, SOON_S, Scene, kinds_of, only
from tests.e2e.site_of_tones import MUSIC_HZ, PROMPTS_HZ

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNE, BOB = "13600136061", "13600136062"
EXTENSION = "4008001203"


async def hear_each_other(caller: Call, other: Call) -> None:
    await caller.play_tone(CALLER_HZ)
    await other.play_tone(AGENT_HZ)
    assert await caller.hears(AGENT_HZ, within=10)
    assert await other.hears(CALLER_HZ, within=10)


async def dial(scene: Scene, caller: str, extension: str) -> Call:
    """A caller who knows the extension by heart."""
    call = await scene.dial(caller, number=EXTENSION)
    await call.answered()
    await call.press(extension)
    return call


async def ended_as(scene: Scene, caller: str, outcome: str) -> None:
    """The flow has gone on with that outcome, and nobody was reached."""
    row = await scene.row(caller)
    assert row["flow_path"] == ["extension/dial", f"extension/{outcome}", "extension/end"]
    assert (row["agent"], row["outside"], row["connected_ms"]) == ("", "", None)


async def engaged(scene: Scene, agent: Phone) -> tuple[Call, Call]:
    """Bob talks with the agent."""
    call = await dial(scene, BOB, scene.user(agent))
    ring = await agent.ringing()
    await ring.answer()
    await scene.until_connected(BOB)
    return call, ring


async def test_the_agent_who_was_dialled_rings_whoever_has_been_idle_longer(scene: Scene) -> None:
    idle_longer, wanted = await scene.agents(2)
    call = await dial(scene, ANNE, scene.user(wanted))
    ring = await wanted.ringing()
    assert ring.caller_number == ANNE
    await ring.answer()
    await hear_each_other(call, ring)
    await ring.hang_up()
    assert (await call.ended()).who == "them"
    await scene.until_agent(scene.user(wanted), work="wrapup", intent="ready")

    row = await scene.row(ANNE)
    agent = scene.user(wanted)
    assert (row["agent"], row["queue"], row["offers"]) == (agent, f"agent:{agent}", 1)
    assert (row["end_reason"], row["outside"]) == ("completed_by_agent", "")
    assert only(await scene.events_of(row), "ivr.entered")["keys"] == agent
    assert idle_longer.received == []


async def test_an_unknown_extension_is_asked_for_again(scene: Scene) -> None:
    agent = await scene.agent()
    call = await scene.dial(ANNE, number=EXTENSION)
    await call.answered()
    assert await call.hears(PROMPTS_HZ["enter-extension"], within=10)
    await call.press("9876")
    assert await call.hears(PROMPTS_HZ["extension-unknown"], within=SOON_S)
    await call.press(scene.user(agent))
    await (await agent.ringing()).answer()
    await scene.until_connected(ANNE)
    await call.hang_up()
    events = await scene.events_of(await scene.row(ANNE))
    said = [prompt for event in events if event["type"] == "ivr.played" for prompt in event["prompts"]]
    assert said == ["enter-extension", "extension-unknown", "enter-extension"]


async def test_two_unknown_extensions_are_one_too_many(scene: Scene) -> None:
    call = await dial(scene, ANNE, "9876")
    assert await call.hears(PROMPTS_HZ["extension-unknown"], within=SOON_S)
    await call.press("9875")
    await call.ended(timeout=10)
    await ended_as(scene, ANNE, "unknown")


async def test_an_agent_without_a_phone_or_not_ready_is_absent_at_once(scene: Scene) -> None:
    agent = await scene.agent()
    user = scene.user(agent)
    call = await dial(scene, ANNE, "8034")  # of the pool, and nobody sits there
    await call.ended()
    await ended_as(scene, ANNE, "absent")
    await scene.intent(user, "not_ready")
    try:
        call = await dial(scene, BOB, user)
        await call.ended()
        await ended_as(scene, BOB, "absent")
    finally:
        await scene.intent(user, "ready")
    assert agent.received == []


async def test_an_agent_who_hangs_up_while_answering_has_not_answered(scene: Scene) -> None:
    agent = await scene.agent()
    call = await dial(scene, ANNE, scene.user(agent))
    ring = await agent.ringing()
    # The engine hears of answer and hang-up in one breath, as it would if they came in the same millisecond.
    with scene.hotline.frozen("engine"):
        await ring.answer()
        await ring.hang_up()
        await ring.ended()
        await scene.until_left(scene.user(agent))
    await call.ended(timeout=10)
    await ended_as(scene, ANNE, "no_answer")
    row = await scene.row(ANNE)
    assert row["offers"] == 1
    events = await scene.events_of(row)
    assert only(events, "offer.missed")["reason"] == "dumped"
    await scene.until_agent(scene.user(agent), work="idle", intent="ready")


async def test_a_busy_agent_is_waited_for_with_music(scene: Scene) -> None:
    agent = await scene.agent()
    bob, bobs_ring = await engaged(scene, agent)
    call = await dial(scene, ANNE, scene.user(agent))
    assert await call.hears(MUSIC_HZ, within=SOON_S)
    await bob.hang_up()
    await bobs_ring.ended()
    ring = await agent.ringing()
    assert ring.caller_number == ANNE
    await ring.answer()
    await hear_each_other(call, ring)
    await call.hang_up()
    row = await scene.row(ANNE)
    assert (row["agent"], row["end_reason"]) == (scene.user(agent), "completed_by_caller")
    assert row["wait_ms"] > 0


async def test_nobody_waits_longer_for_a_busy_agent_than_their_patience(scene: Scene) -> None:
    agent = await scene.agent()
    bob, _ = await engaged(scene, agent)
    call = await dial(scene, ANNE, scene.user(agent))
    await call.ended(timeout=15)
    await ended_as(scene, ANNE, "timed_out")
    await bob.hang_up()
    await scene.row(BOB)
    assert len(agent.received) == 1


@pytest.mark.parametrize(("code", "outcome"), [(486, "busy"), (603, "busy"), (None, "no_answer")])
async def test_an_agent_who_does_not_take_the_call_is_rung_once(scene: Scene, code: int | None, outcome: str) -> None:
    agent, other = await scene.agents(2)
    call = await dial(scene, ANNE, scene.user(agent))
    ring = await agent.ringing()
    if code is not None:
        await ring.reject(code)
    await call.ended(timeout=10)
    await ended_as(scene, ANNE, outcome)
    assert len(agent.received) == 1
    assert other.received == []


async def test_a_caller_who_gives_up_while_the_extension_rings_frees_its_agent(scene: Scene) -> None:
    agent = await scene.agent()
    call = await dial(scene, ANNE, scene.user(agent))
    ring = await agent.ringing()
    await call.hang_up()
    assert (await ring.ended()).who == "them"
    assert (await scene.row(ANNE))["end_reason"] == "abandoned_ringing"
    await scene.until_agent(scene.user(agent), work="idle", intent="ready")


async def test_a_branch_is_reached_on_its_own_phone(scene: Scene) -> None:
    branch = await scene.branch("801")
    call = await dial(scene, ANNE, "801#")
    ring = await branch.ringing()
    assert ring.caller_number == ANNE
    await ring.answer()
    await hear_each_other(call, ring)
    await ring.hang_up()
    await call.ended()
    row = await scene.row(ANNE)
    assert (row["outside"], row["agent"], row["end_reason"]) == ("801", "", "completed_by_outside")
    assert "item.enqueued" not in kinds_of(await scene.events_of(row))


async def test_a_branch_may_be_busy_or_have_no_phone(scene: Scene) -> None:
    call = await dial(scene, ANNE, "801#")
    await call.ended()
    await ended_as(scene, ANNE, "unreachable")
    branch = await scene.branch("801")
    call = await dial(scene, BOB, "801#")
    await (await branch.ringing()).busy()
    await call.ended()
    await ended_as(scene, BOB, "busy")


async def test_a_phone_that_forwards_the_call_forwards_it_nowhere(scene: Scene) -> None:
    agent, other = await scene.agents(2)
    branch = await scene.branch("801")
    for caller, extension, phone, outcome in (
        (ANNE, scene.user(agent), agent, "busy"),
        (BOB, "801#", branch, "unreachable"),
    ):
        call = await dial(scene, caller, extension)
        ring = await phone.ringing()
        await ring.forward(f"sip:{scene.user(other)}@{scene.hotline.sip}")
        await call.ended()
        await ended_as(scene, caller, outcome)
    assert other.received == []


async def test_a_branch_with_a_number_is_called_through_the_trunk(scene: Scene) -> None:
    far_end = await scene.far_end()
    call = await dial(scene, ANNE, "802#")
    ring = await far_end.ringing()
    assert ring.caller_number == "4008001234"
    await ring.answer()
    await hear_each_other(call, ring)
    await call.hang_up()
    row = await scene.row(ANNE)
    assert row["outside"] == "+862188881234"
    assert only(await scene.events_of(row), "outside.dialled")["extension"] == "802"


@pytest.mark.hotline("fragile")
async def test_an_agent_who_rejects_while_redis_is_away_is_busy_all_the_same(scene: Scene) -> None:
    agent = await scene.agent()
    call = await dial(scene, ANNE, scene.user(agent))
    ring = await agent.ringing()
    with scene.hotline.frozen("redis"):
        await ring.reject()
        assert await call.hears(PROMPTS_HZ["all-agents-busy"], within=SOON_S)
    await call.ended()
    await ended_as(scene, ANNE, "busy")
    await scene.until_agent(scene.user(agent), work="idle")


@pytest.mark.hotline("fragile")
async def test_whoever_waits_for_an_agent_waits_on_for_that_agent_when_the_engine_is_killed(scene: Scene) -> None:
    agent, other = await scene.agents(2)
    bob, bobs_ring = await engaged(scene, agent)
    call = await dial(scene, ANNE, scene.user(agent))
    await scene.until_active(ANNE, "phase", "waiting")
    old = scene.hotline.kill("engine")
    await scene.hotline.replaced("engine", old)
    await bob.hang_up()
    await bobs_ring.ended()
    ring = await agent.ringing()
    assert ring.caller_number == ANNE
    await ring.answer()
    await hear_each_other(call, ring)
    await call.hang_up()
    row = await scene.row(ANNE)
    assert (row["agent"], row["end_reason"]) == (scene.user(agent), "completed_by_caller")
    assert other.received == []
