"""What ends a wait besides an agent: each rule leads to its branch, and when two come together one of them wins."""

from __future__ import annotations

import time

import pytest

from engine.api.client import ask
from phones import Call
from tests.e2e.hotline import Json
from tests.e2e.scene import SOON_S, Scene, kinds_of, only
from tests.e2e.site_of_tones import MUSIC_HZ, PROMPTS_HZ, RULES, RULES_POOL
from tests.e2e.waiting import until, until_none

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANNE, BOB, CARL = "13600136081", "13600136082", "13600136083"
NARROW, STAFFED, BRIEF, EJECTING, DRAINING, KEYED, KNOWN, KEPT, TWICE = "2345678*#"
WITHHELD = "anonymous@anonymous.invalid"
BRIEF_MS = 2000  # the longest wait in the queue `brief`; the next one's counts from there
FULL_HZ, NOBODY_HZ, CLOSED_HZ, LEFT_HZ, MESSAGE_HZ, KEYS_HZ = (
    PROMPTS_HZ[name] for name in ("too-short", "blocked", "no-input", "survey-thanks", "leave-message", "survey-ask")
)


async def queued(scene: Scene, caller: str) -> Json:
    """The call of someone who has come to their place in a queue: entering it is a moment earlier."""

    async def so() -> Json | None:
        return next((c for c in await scene.hotline.active_calls() if c["raw"] == caller and c["queued_ms"]), None)

    found = await until(so, within=SOON_S, what=f"{caller} is in the queue")
    assert found is not None
    return found


async def waits(scene: Scene, caller: str, key: str) -> Json:
    """A caller who waits in the queue that the key leads to."""
    await scene.in_line(caller, key)
    return await queued(scene, caller)


async def present(scene: Scene) -> str:
    """An agent who is logged in and has a break."""
    (agent,) = await scene.agents(1, RULES_POOL)
    user = scene.user(agent)
    await scene.intent(user, "not_ready")
    return user


async def enqueued(scene: Scene, caller: str) -> list[Json]:
    """The stays in queues of a call that has ended."""
    return [event for event in await scene.events_of(await scene.row(caller)) if event["type"] == "item.enqueued"]


async def until_waited(scene: Scene, call: Json, ms: int) -> None:
    async def so() -> bool:
        return bool(time.time() * 1000 - call["queued_ms"] > ms)

    await until(so, within=SOON_S, what=f"{call['raw']} has waited {ms} ms")


async def test_a_full_queue_takes_nobody_else(scene: Scene) -> None:
    await waits(scene, ANNE, NARROW)
    second = await scene.in_line(BOB, NARROW)
    assert await second.hears(FULL_HZ, within=10)
    await second.ended()
    row = await scene.row(BOB)
    assert "rules/full" in row["flow_path"]
    assert only(await scene.events_of(row), "item.refused")["reason"] == "full"


async def nobody_is_there(scene: Scene) -> None:
    """Also those of the test before have left, and the ACD knows it."""

    async def so() -> bool:
        agents = await scene.hotline.ask("/v1/agents")
        return all(agent["device"] == "down" for agent in agents if agent["id"] in RULES_POOL)

    await until(so, within=SOON_S, what="nobody's phone is there any more")


async def test_whoever_comes_when_nobody_is_logged_in_is_told_at_once(scene: Scene) -> None:
    await nobody_is_there(scene)
    call = await scene.in_line(ANNE, STAFFED)
    assert await call.hears(NOBODY_HZ, within=10)
    await call.ended()
    assert only(await scene.events_of(await scene.row(ANNE)), "item.refused")["reason"] == "no_agents"


async def test_whoever_waits_is_told_when_the_last_agent_has_logged_out(scene: Scene) -> None:
    agent = await present(scene)
    call = await scene.in_line(ANNE, STAFFED)
    try:
        assert await call.hears(MUSIC_HZ, within=10)
        await scene.intent(agent, "logged_out")
        assert await call.hears(NOBODY_HZ, within=10)
    finally:
        await scene.intent(agent, "ready")
    await call.ended()
    row = await scene.row(ANNE)
    assert "rules/nobody" in row["flow_path"]
    assert only(await scene.events_of(row), "item.ended")["reason"] == "no_agents"


async def test_at_closing_time_some_queues_send_their_callers_out_and_others_serve_them_still(scene: Scene) -> None:
    hours = {"state": "open", "for_s": 3, "by": "li"}
    await ask(scene.hotline.state.api_socket, "/v1/hours/brief", body=hours)
    ejected = await scene.in_line(ANNE, EJECTING)
    drained = await scene.in_line(BOB, DRAINING)
    assert await drained.hears(MUSIC_HZ, within=10)
    assert await ejected.hears(CLOSED_HZ, within=10)
    late = await scene.in_line(CARL, DRAINING)
    assert await late.hears(CLOSED_HZ, within=10)

    (agent,) = await scene.agents(1, RULES_POOL)
    ring = await agent.ringing()
    assert ring.caller_number == BOB
    await ring.answer()
    await scene.until_connected(BOB)
    await ejected.ended()
    assert only(await scene.events_of(await scene.row(ANNE)), "item.ended")["reason"] == "closed"
    await late.ended()
    assert only(await scene.events_of(await scene.row(CARL)), "item.refused")["reason"] == "closed"


async def opening(scene: Scene, state: str, **said: float) -> None:
    await ask(scene.hotline.state.api_socket, "/v1/hours/brief", body={"state": state, "by": "li", **said})


async def test_who_waits_is_reached_by_an_order_about_opening_hours(scene: Scene) -> None:
    await opening(scene, "open", for_s=2)
    ejected, drained = await scene.in_line(ANNE, EJECTING), await scene.in_line(BOB, DRAINING)
    call = await queued(scene, ANNE)
    await queued(scene, BOB)
    try:
        await opening(scene, "open")
        await until_waited(scene, call, 2500)
        assert await ejected.hears(MUSIC_HZ, within=2)
        await opening(scene, "closed")
        assert await ejected.hears(CLOSED_HZ, within=2)
        assert await drained.hears(MUSIC_HZ, within=2)
    finally:
        await opening(scene, "follow")
    assert only(await scene.events_of(await scene.row(ANNE)), "item.ended")["reason"] == "closed"


async def test_whoever_overflows_keeps_the_place_of_when_they_came(scene: Scene) -> None:
    agent = await present(scene)
    first = await waits(scene, ANNE, BRIEF)
    await waits(scene, BOB, STAFFED)
    await scene.until_active(ANNE, "queue", "patient")
    await scene.intent(agent, "ready")
    phone = scene.seat(agent)
    ring = await phone.ringing()
    assert ring.caller_number == ANNE, "the one who overflowed stands behind one who came later"
    await ring.answer()
    await scene.until_connected(ANNE)
    await ring.hang_up()
    await (await phone.ringing()).answer()

    brief, patient = await enqueued(scene, ANNE)
    assert (brief["queue"], brief["waited_ms"]) == ("brief", 0)
    assert (patient["queue"], patient["position"]) == ("patient", 1)
    assert patient["waited_ms"] == pytest.approx(patient["at"] - brief["at"], abs=100)
    row = await scene.row(ANNE)
    assert (row["queued_ms"], row["wait_ms"]) == (first["queued_ms"], row["connected_ms"] - first["queued_ms"])


async def test_whoever_overflows_does_not_hear_again_what_they_were_told(scene: Scene) -> None:
    first = await scene.in_line(ANNE, BRIEF)
    await queued(scene, ANNE)
    call = await scene.in_line(BOB, BRIEF)
    await scene.until_active(BOB, "queue", "patient")
    await first.hang_up()
    assert await call.hears(PROMPTS_HZ["position-1"], within=5), "not even better news is told any more"
    await call.hang_up()

    events = await scene.events_of(await scene.row(BOB))
    told = [prompt for event in events if event["type"] == "ivr.played" for prompt in event["prompts"]]
    assert told == ["menu-main", "all-agents-busy", "position-2", "position-1"]
    assert [event["position"] for event in events if event["type"] == "item.enqueued"] == [2, 2]


async def test_whoever_has_talked_to_an_agent_and_waits_again_is_told_all_of_it_anew(scene: Scene) -> None:
    agent = await present(scene)
    call = await scene.in_line(ANNE, TWICE)
    for _ in range(2):
        for prompt in ("all-agents-busy", "position-1"):
            assert await call.hears(PROMPTS_HZ[prompt], within=5), prompt
        await scene.intent(agent, "ready")
        ring = await scene.seat(agent).ringing()
        await ring.answer()
        await scene.intent(agent, "not_ready")
        await ring.hang_up()
        await ring.ended()
    await call.hang_up()
    await scene.intent(agent, "ready")


async def until_in_line(scene: Scene, queue: str, *callers: str) -> None:
    """Until they wait there, in this order; whoever withholds their number is `restricted`."""

    async def unlike() -> list[str]:
        rows = (await scene.hotline.ask(f"/v1/queues/{queue}/waiting"))["line"]
        line = [row["about"].removeprefix("+86") for row in rows]
        return [] if line == list(callers) else [f"in line are {line}"]

    await until_none(unlike, within=SOON_S)


async def comes_behind(scene: Scene, caller: str, *others: str) -> Call:
    """A caller who is the last in the queue that keeps places."""
    headers = {"Privacy": "id"} if caller == WITHHELD else None
    call = await scene.dial(caller, number=RULES, display="Anonymous" if headers else "", headers=headers)
    await call.answered()
    await call.press(KEPT)
    await until_in_line(scene, "kept", *others, "restricted" if headers else caller)
    return call


async def test_whoever_is_cut_off_finds_their_place_again_and_a_withheld_number_none(scene: Scene) -> None:
    withheld = await comes_behind(scene, WITHHELD)
    first = await comes_behind(scene, ANNE, "restricted")
    await comes_behind(scene, BOB, "restricted", ANNE)
    await withheld.hang_up()
    await first.hang_up()
    await until_in_line(scene, "kept", BOB)
    before = await scene.row(ANNE)

    await comes_behind(scene, WITHHELD, BOB)
    await scene.in_line(ANNE, KEPT)
    await until_in_line(scene, "kept", ANNE, BOB, "restricted")
    resumed = await scene.until_active(ANNE, "queue", "kept")
    wait_ms = (await scene.event(resumed, "item.resumed"))["wait_ms"]
    assert wait_ms > before["ended_ms"] - before["queued_ms"] > 0


async def test_a_phone_that_rings_when_the_longest_wait_is_over_rings_to_its_end(scene: Scene) -> None:
    (agent,) = await scene.agents(1, RULES_POOL)
    waiting = await waits(scene, ANNE, BRIEF)
    ring = await agent.ringing()
    await until_waited(scene, waiting, BRIEF_MS + 200)
    await ring.answer()
    await scene.until_connected(ANNE)
    await ring.hang_up()
    row = await scene.row(ANNE)
    assert (row["agent"], row["queue"], row["offers"]) == (scene.user(agent), "brief", 1)
    assert row["wait_ms"] > BRIEF_MS


async def test_a_phone_that_nobody_answers_beyond_the_longest_wait_was_the_last_one(scene: Scene) -> None:
    (absent,) = await scene.agents(1, RULES_POOL)
    call = await scene.in_line(ANNE, BRIEF)
    ring = await absent.ringing()
    assert (await ring.ended(timeout=5)).who == "them"
    active = await scene.until_active(ANNE, "queue", "patient")
    now = (await scene.hotline.ask(f"/v1/explain/{active['id']}"))["now"]
    why = {each["agent"]: each["why"] for each in now["agents"]}
    assert why[scene.user(absent)] == "excluded", "whoever has missed a caller is rung for them in the next queue"
    (following,) = await scene.agents(1, RULES_POOL)
    await (await following.ringing()).answer()
    await scene.until_connected(ANNE)
    await call.hang_up()
    stays = await enqueued(scene, ANNE)
    assert [stay["queue"] for stay in stays] == ["brief", "patient"]
    events = await scene.events_of(await scene.row(ANNE))
    ended = [event["reason"] for event in events if event["type"] == "item.ended"]
    assert ended[0] == "timed_out"


async def test_an_agent_who_hangs_up_while_answering_beyond_the_longest_wait_was_the_last_one(scene: Scene) -> None:
    (hasty,) = await scene.agents(1, RULES_POOL)
    call = await scene.in_line(ANNE, BRIEF)
    waiting = await queued(scene, ANNE)
    ring = await hasty.ringing()
    # The engine hears of answer and hang-up in one breath, as it would if they came in the same millisecond.
    with scene.hotline.frozen("engine"):
        await until_waited(scene, waiting, BRIEF_MS + 200)
        await ring.answer()
        await ring.hang_up()
        await ring.ended()
        await scene.until_left(scene.user(hasty))
    await scene.until_active(ANNE, "queue", "patient")
    (following,) = await scene.agents(1, RULES_POOL)
    await (await following.ringing()).answer()
    await scene.until_connected(ANNE)
    await call.hang_up()
    assert [stay["queue"] for stay in await enqueued(scene, ANNE)] == ["brief", "patient"]
    events = await scene.events_of(await scene.row(ANNE))
    assert only(events, "offer.missed")["reason"] == "dumped"


@pytest.mark.parametrize(("key", "hz", "outcome"), [("1", LEFT_HZ, "leave"), ("2", MESSAGE_HZ, "voicemail")])
async def test_a_key_while_a_phone_rings_leads_out_and_the_agent_is_not_charged(
    scene: Scene, key: str, hz: int, outcome: str
) -> None:
    (agent,) = await scene.agents(1, RULES_POOL)
    user = scene.user(agent)
    before = (await scene.hotline.agent(user))["idle_since_ms"]
    call = await scene.in_line(ANNE, KEYED)
    ring = await agent.ringing()
    await scene.until_agent(user, work="ringing")
    await call.press(key)
    assert (await ring.ended(timeout=3)).who == "them"
    assert await call.hears(hz, within=10)
    await call.ended()
    freed = await scene.until_agent(user, work="idle", device="idle", misses=0, cool_until_ms=0)
    assert freed["idle_since_ms"] == before
    events = await scene.events_of(await scene.row(ANNE))
    assert only(events, "item.ended")["reason"] == f"key_{outcome}"
    assert "offer.missed" not in kinds_of(events)


async def test_who_waits_is_told_which_keys_there_are_and_may_press_one_at_once(scene: Scene) -> None:
    call = await scene.in_line(ANNE, KEYED)
    assert await call.hears(KEYS_HZ, within=10)
    await call.press("1")
    assert await call.hears(LEFT_HZ, within=10)


async def test_of_a_key_and_an_answer_in_the_same_moment_exactly_one_counts(scene: Scene) -> None:
    (agent,) = await scene.agents(1, RULES_POOL)
    user = scene.user(agent)
    call = await scene.in_line(ANNE, KEYED)
    ring = await agent.ringing()
    await scene.until_agent(user, work="ringing")
    # The engine hears of both in one breath.
    with scene.hotline.frozen("engine"):
        await call.press("1")
        await ring.answer()
        answered = time.monotonic()

        async def pressed() -> bool:
            return time.monotonic() - answered > 0.4  # the key's 200 ms have reached Asterisk

        await until(pressed, within=SOON_S, what="the key was let go")

    async def decided() -> str:
        active = {c["raw"]: c for c in await scene.hotline.active_calls()}.get(ANNE)
        return "talking" if active and active["connected_ms"] else "" if active else "left"

    outcome = await until(decided, within=SOON_S, what="they talk, or the caller has left")
    if outcome == "talking":
        await call.hang_up()
    else:
        assert (await ring.ended(timeout=3)).who == "them"
    row = await scene.row(ANNE)
    kinds = kinds_of(await scene.events_of(row))
    assert kinds.count("item.ended") == 1
    assert ("offer.accepted" in kinds, "bridge.started" in kinds, row["agent"], "rules/left" in row["flow_path"]) == (
        (True, True, user, False) if outcome == "talking" else (False, False, "", True)
    )


async def test_a_caller_reaches_the_agent_of_their_last_call_and_anybody_when_that_one_has_a_break(
    scene: Scene,
) -> None:
    idle_longer, other = await scene.agents(2, RULES_POOL)
    last = scene.user(other)
    await scene.intent(scene.user(idle_longer), "not_ready")
    call = await scene.in_line(ANNE, KNOWN)
    await (await other.ringing()).answer()
    await scene.until_connected(ANNE)
    await scene.intent(scene.user(idle_longer), "ready")
    await call.hang_up()
    await scene.until_agent(last, work="idle", device="idle")

    again = await scene.in_line(ANNE, KNOWN)
    ring = await other.ringing()
    await ring.answer()
    await scene.until_connected(ANNE)
    await again.hang_up()
    await scene.until_agent(last, work="idle", device="idle")

    await scene.intent(last, "not_ready")
    try:
        await scene.in_line(ANNE, KNOWN)
        assert (await idle_longer.ringing(timeout=3)).caller_number == ANNE
    finally:
        await scene.intent(last, "ready")


async def test_a_caller_waits_a_while_for_the_agent_of_their_last_call_and_not_for_ever(scene: Scene) -> None:
    (known,) = await scene.agents(1, RULES_POOL)
    call = await scene.in_line(ANNE, KNOWN)
    await (await known.ringing()).answer()
    await scene.until_connected(ANNE)
    await call.hang_up()
    await scene.until_agent(scene.user(known), work="idle", device="idle")
    bob = await scene.in_line(BOB, KNOWN)
    await (await known.ringing()).answer()
    await scene.until_connected(BOB)

    (other,) = await scene.agents(1, RULES_POOL)
    waiting = await waits(scene, ANNE, KNOWN)
    ring = await other.ringing(timeout=8)
    assert ring.caller_number == ANNE
    assert time.time() * 1000 - waiting["queued_ms"] > 4900
    await bob.hang_up()
