"""Callbacks that the engine makes: from the key that a waiting caller presses to the conversation they get for it."""

from __future__ import annotations

import pytest

from engine.api.client import ask
from phones import Call, Carrier, Phone, State
from tests.e2e.hotline import Json
from tests.e2e.scene import AGENT_HZ, CALLER_HZ, SOON_S, Scene, kinds_of, only
from tests.e2e.site_of_tones import BACK_POOL, MUSIC_HZ, PROMPTS_HZ
from tests.e2e.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")

WAITS, ASKS, AHEAD = "4008001214", "4008001215", "4008001218"
ASKED_HZ = PROMPTS_HZ["callback-confirm"]
RING_BACK_HZ = 450  # asterisk_conf/indications.conf


async def asks(scene: Scene, caller: str, number: str = WAITS) -> Json:
    """A caller who asks to be called back, and hangs up."""
    call = await scene.dial(caller, number=number)
    await call.answered()
    if number != ASKS:
        await scene.until_active(caller, "phase", "waiting")
        await call.press("1")
    assert await call.hears(PROMPTS_HZ["callback-offer"], within=SOON_S)
    await call.press("1")
    assert await call.hears(PROMPTS_HZ["callback-accepted"], within=SOON_S)
    await call.hang_up()
    return await callback(scene, caller)


async def callback(scene: Scene, caller: str, *states: str) -> Json:
    """The latest callback of a caller, once it is in one of these states."""

    async def so() -> Json | None:
        rows = await scene.hotline.ask("/v1/callbacks?all=1&limit=1000")
        mine = (row for row in rows if row["number"] == f"+86{caller}")
        return next((row for row in mine if not states or row["state"] in states), None)

    found = await until(so, within=SOON_S, what=f"the callback of {caller} is {' or '.join(states) or 'there'}")
    assert found is not None
    return found


async def row_of(scene: Scene, caller: str) -> Json:
    """The row of the call that we have made to them."""

    async def there() -> Json | None:
        rows = await scene.hotline.ended_calls()
        return next((r for r in rows if r["number"] == f"+86{caller}" and r["direction"] == "callback"), None)

    found = await until(there, within=SOON_S, what=f"a row for the call back to {caller}")
    assert found is not None
    return found


async def events(scene: Scene, wanted: Json) -> list[Json]:
    """What became of a callback, once it is closed."""

    async def closed() -> list[Json]:
        found: list[Json] = (await scene.hotline.ask(f"/v1/callbacks/{wanted['id']}"))["events"]
        return found if "callback.closed" in kinds_of(found) else []

    found = await until(closed, within=SOON_S, what=f"the events of callback {wanted['id']}")
    assert found
    return found


async def hear_each_other(customer: Call, agent: Call) -> None:
    await customer.play_tone(CALLER_HZ)
    await agent.play_tone(AGENT_HZ)
    assert await customer.hears(AGENT_HZ, within=SOON_S)
    assert await agent.hears(CALLER_HZ, within=SOON_S)


async def agent_answers(scene: Scene) -> tuple[Phone, Call]:
    """An agent comes to work, and takes what they are offered."""
    (agent,) = await scene.agents(1, BACK_POOL)
    ring = await agent.ringing()
    await ring.answer()
    return agent, ring


async def customer_answers(far_end: Carrier) -> Call:
    ring = await far_end.ringing()
    await ring.answer()
    assert await ring.hears(ASKED_HZ, within=SOON_S)
    return ring


async def test_whoever_asked_is_called_when_an_agent_is_on_the_line_and_talks_after_the_key(scene: Scene) -> None:
    anne, far_end = "13912340001", await scene.far_end()
    asked = await asks(scene, anne)
    assert (await callback(scene, anne, "waiting"))["attempts"] == 0
    agent, at_agent = await agent_answers(scene)
    assert "回拨" in at_agent.caller_name
    assert at_agent.caller_number == anne
    at_customer = await customer_answers(far_end)
    assert at_customer.caller_number == "4008001234"
    assert f"{anne}@" in at_customer.headers["To"]
    assert await at_agent.hears(RING_BACK_HZ, within=SOON_S)
    scene.expect_another_row()
    await at_customer.press("1")
    await hear_each_other(at_customer, at_agent)
    assert (await callback(scene, anne, "bridged"))["attempts"] == 1

    await at_agent.hang_up()
    assert (await at_customer.ended()).who == "them"
    done = await callback(scene, anne, "done")
    assert done["id"] == asked["id"]
    row = await row_of(scene, anne)
    user = scene.user(agent)
    assert (row["end_reason"], row["agent"], row["queue"]) == ("completed_by_agent", user, "back")
    assert row["talk_ms"] > 0
    assert row["wait_ms"] == row["connected_ms"] - row["queued_ms"] > 0
    told = await scene.events_of(row)
    assert only(told, "callback.confirmed")["callback"] == asked["id"]
    assert only(told, "call.arrived")["callback"] == asked["id"]
    became = kinds_of(await events(scene, asked))
    wanted = ["item.enqueued", "offer.created", "callback.dialled", "callback.answered", "offer.accepted", "item.ended"]
    assert [kind for kind in became if kind in wanted] == wanted
    await scene.until_agent(user, work="idle")


async def untouched(scene: Scene, agent: Phone) -> None:
    """Nothing that came to nothing was an agent's fault: they are ready for the next."""
    state = await scene.until_agent(scene.user(agent), work="idle", misses=0)
    assert state["cool_until_ms"] == 0


async def test_a_mailbox_gets_nobody_and_the_customer_is_called_again_after_the_gap(scene: Scene) -> None:
    ben, far_end = "13912340002", await scene.far_end()
    await asks(scene, ben)
    agent, at_agent = await agent_answers(scene)
    mailbox = await customer_answers(far_end)
    scene.expect_another_row()
    assert (await mailbox.ended()).who == "them"
    assert (await at_agent.ended()).who == "them"
    assert (await row_of(scene, ben))["end_reason"] == "not_confirmed"
    waiting = await callback(scene, ben, "waiting")
    assert (waiting["attempts"], waiting["reason"]) == (1, "not_confirmed")

    again = await agent.ringing()
    assert again.at_ms[State.RINGING] >= waiting["next_ms"]
    await untouched_while_ringing(scene, agent)
    await again.answer()
    customer = await customer_answers(far_end)
    scene.expect_another_row()
    await customer.press("1")
    await hear_each_other(customer, again)
    await customer.hang_up()
    assert (await callback(scene, ben, "done"))["attempts"] == 2
    assert (await again.ended()).who == "them"


async def untouched_while_ringing(scene: Scene, agent: Phone) -> None:
    assert (await scene.hotline.agent(scene.user(agent)))["misses"] == 0


async def test_who_is_busy_in_all_tries_is_given_up_and_no_agent_is_charged(scene: Scene) -> None:
    cleo, far_end = "13912340003", await scene.far_end()
    asked = await asks(scene, cleo)
    agent, at_agent = await agent_answers(scene)
    await (await far_end.ringing()).reject(486)
    assert (await at_agent.ended()).who == "them"
    at_agent = await agent.ringing()
    await at_agent.answer()
    await (await far_end.ringing()).reject(486)
    assert (await at_agent.ended()).who == "them"
    failed = await callback(scene, cleo, "failed")
    assert (failed["attempts"], failed["reason"], failed["id"]) == (2, "busy", asked["id"])
    told = [event for event in await events(scene, asked) if event["type"] == "callback.failed"]
    assert [(event["tech_cause"], bool(event["again_ms"])) for event in told] == [(486, True), (486, False)]
    await untouched(scene, agent)


async def test_a_customer_who_calls_again_has_the_place_of_their_callback_and_is_not_called(scene: Scene) -> None:
    dora, ed, far_end = "13912340004", "13912340005", await scene.far_end()
    await asks(scene, dora)
    behind = await scene.dial(ed, number=WAITS)
    await behind.answered()
    await scene.until_active(ed, "phase", "waiting")
    again = await scene.dial(dora, number=WAITS)
    await again.answered()
    await callback(scene, dora, "merged")
    agent, at_agent = await agent_answers(scene)
    assert at_agent.caller_number == dora
    await hear_each_other(again, at_agent)
    await again.hang_up()
    following = await agent.ringing()
    assert following.caller_number == ed
    await following.answer()
    await hear_each_other(behind, following)  # who hangs up before the first word has dumped the call: ed would wait on
    await following.hang_up()
    await behind.ended()
    assert far_end.received == []


async def test_a_customer_who_calls_while_we_call_them_is_talked_with_in_their_own_call(scene: Scene) -> None:
    finn, far_end = "13912340006", await scene.far_end()
    await asks(scene, finn)
    agent, at_agent = await agent_answers(scene)
    at_customer = await far_end.ringing()
    again = await scene.dial(finn, number=WAITS)
    await again.answered()
    assert (await at_customer.ended()).who == "them"
    assert (await at_agent.ended()).who == "them"
    await callback(scene, finn, "merged")
    ring = await agent.ringing()
    await ring.answer()
    await hear_each_other(again, ring)
    await again.hang_up()


async def test_customer_first_no_agent_hears_anything_before_the_key(scene: Scene) -> None:
    gwen, far_end = "13912340007", await scene.far_end()
    (agent,) = await scene.agents(1, BACK_POOL)
    await asks(scene, gwen, ASKS)
    customer = await customer_answers(far_end)
    assert agent.received == []
    assert (await scene.hotline.agent(scene.user(agent)))["work"] == "reserved"
    scene.expect_another_row()
    await customer.press("1")
    ring = await agent.ringing()
    assert await customer.hears(MUSIC_HZ, within=SOON_S)
    await ring.answer()
    await hear_each_other(customer, ring)
    await customer.hang_up()
    assert (await ring.ended()).who == "them"
    await callback(scene, gwen, "done")
    row = await row_of(scene, gwen)
    assert (row["end_reason"], row["agent"]) == ("completed_by_caller", scene.user(agent))


async def test_an_agent_who_does_not_answer_costs_no_try_and_the_next_one_is_rung(scene: Scene) -> None:
    hugo, far_end = "13912340008", await scene.far_end()
    await asks(scene, hugo)
    lazy, diligent = await scene.agents(2, BACK_POOL)
    at_lazy = await lazy.ringing()
    await at_lazy.reject(603)
    at_diligent = await diligent.ringing()
    assert far_end.received == []
    await at_diligent.answer()
    customer = await customer_answers(far_end)
    scene.expect_another_row()
    await customer.press("1")
    await hear_each_other(customer, at_diligent)
    assert (await callback(scene, hugo, "bridged"))["attempts"] == 1
    await customer.hang_up()


async def test_an_agent_who_leaves_while_it_rings_at_the_customer_s_is_replaced(scene: Scene) -> None:
    ida, far_end = "13912340009", await scene.far_end()
    await asks(scene, ida)
    first, second = await scene.agents(2, BACK_POOL)
    at_first = await first.ringing()
    await at_first.answer()
    ring = await far_end.ringing()
    await at_first.hang_up()
    await scene.until_agent(scene.user(second), work="reserved")
    await ring.answer()
    assert await ring.hears(ASKED_HZ, within=SOON_S)
    scene.expect_another_row()
    await ring.press("1")
    at_second = await second.ringing()
    await at_second.answer()
    await hear_each_other(ring, at_second)
    await ring.hang_up()
    assert len(far_end.received) == 1


async def test_whoever_is_cancelled_by_hand_is_not_called_any_more(scene: Scene) -> None:
    jo, far_end = "13912340010", await scene.far_end()
    asked = await asks(scene, jo)
    _, at_agent = await agent_answers(scene)
    ring = await far_end.ringing()
    body = {"state": "cancelled", "by": "8001"}
    await ask(scene.hotline.state.api_socket, f"/v1/callbacks/{asked['id']}", body=body)
    assert (await ring.ended()).who == "them"
    assert (await at_agent.ended()).who == "them"
    assert (await callback(scene, jo, "cancelled"))["closed_by"] == "8001"


async def test_a_callback_that_a_supervisor_moves_is_called_by_the_other_queue(scene: Scene) -> None:
    lea, far_end = "13912340012", await scene.far_end()
    asked = await asks(scene, lea)
    await callback(scene, lea, "waiting")
    (waits,) = (await scene.hotline.ask("/v1/queues/back/waiting"))["line"]
    moved = {"queue": "back_customer", "by": "li"}
    await ask(scene.hotline.state.api_socket, f"/v1/items/{waits['id']}/move", body=moved)
    (agent,) = await scene.agents(1, BACK_POOL)
    customer = await customer_answers(far_end)
    assert agent.received == [], "in that queue the customer's phone rings first"
    scene.expect_another_row()
    await customer.press("1")
    ring = await agent.ringing()
    await ring.answer()
    await hear_each_other(customer, ring)
    await customer.hang_up()
    done = await callback(scene, lea, "done")
    assert (done["id"], done["queue"]) == (asked["id"], "back_customer")
    story = kinds_of(await events(scene, asked))
    assert story.index("item.taken_out") < story.index("callback.moved") < story.index("callback.dialled")
    row = await row_of(scene, lea)
    assert row["queued_ms"] == pytest.approx(asked["placed_ms"], abs=5), "it has waited since it was asked for"


async def test_a_number_that_no_trunk_may_dial_is_not_called_back(scene: Scene) -> None:
    call = await scene.dial("13900123456", number=ASKS)
    await call.answered()
    assert await call.hears(PROMPTS_HZ["callback-offer"], within=SOON_S)
    await call.press("1")
    assert await call.hears(PROMPTS_HZ["enter-phone-number"], within=SOON_S)
    await call.hang_up()
    rows = await scene.hotline.ask("/v1/callbacks?all=1&limit=1000")
    assert "+8613900123456" not in {row["number"] for row in rows}


@pytest.mark.hotline("fragile")
async def test_an_engine_that_dies_while_it_calls_leaves_nobody_ringing_and_the_next_one_calls_again(
    scene: Scene,
) -> None:
    kim, far_end = "13912340011", await scene.far_end()
    asked = await asks(scene, kim)
    agent, at_agent = await agent_answers(scene)
    ring = await far_end.ringing()
    await callback(scene, kim, "dialling")
    old = scene.hotline.kill("engine")
    await scene.hotline.replaced("engine", old)
    assert (await ring.ended(timeout=3)).who == "them"
    assert (await at_agent.ended(timeout=3)).who == "them"
    at_agent = await agent.ringing()
    await at_agent.answer()
    customer = await customer_answers(far_end)
    scene.expect_another_row()
    await customer.press("1")
    await hear_each_other(customer, at_agent)
    assert (await callback(scene, kim, "bridged"))["id"] == asked["id"]

    old = scene.hotline.kill("engine")
    await scene.hotline.replaced("engine", old)
    await hear_each_other(customer, at_agent)
    await at_agent.hang_up()
    assert (await customer.ended()).who == "them"
    assert (await callback(scene, kim, "done"))["attempts"] == 2
    assert only(await scene.events_of(await row_of(scene, kim)), "call.recovered")["phase"] == "talking"
