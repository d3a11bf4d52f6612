"""Whom an item may go to, and from when on: steps, the preferred agent, and lines where nobody is logged in."""

from __future__ import annotations

from engine.acd import AgentTerms, Device, Empty, Intent, Missed, Policy, Step
from tests.acd.desk import LEASE_MS, Desk, policy

BOTH = frozenset(Empty)
WIDENING = policy("sales>=3", "sales>=2", "sales", after=(10_000, 20_000))


async def test_item_goes_to_the_next_step_in_its_time_and_keeps_its_place(desk: Desk) -> None:
    await desk.staff({"best": {"sales": 5}, "good": {"sales": 2}}, "sales", ready=False)
    await desk.acd.agent("best", intent=Intent.NOT_READY, device=Device.IDLE)
    await desk.calls("call", WIDENING)
    await desk.ready("good")
    await desk.calls("later", "sales>=3")
    await desk.passes(9_999)
    assert desk.offers == []
    await desk.passes(1)
    assert desk.offered() == [("call", "good")]
    [relaxed] = await desk.journal("item.requirements_relaxed")
    assert (relaxed["step"], relaxed["requirement"], relaxed["wait_ms"]) == (2, "sales>=2", 10_000)


async def test_step_that_nobody_logged_in_can_meet_is_skipped_at_once(desk: Desk) -> None:
    await desk.staff({"best": {"sales": 5}, "fair": {"sales": 1}}, "sales", ready=False)
    await desk.ready("fair")
    placement = await desk.calls("call", WIDENING)
    assert [offer.agent for offer in placement.offers] == ["fair"]


async def test_item_moves_on_a_moment_after_the_last_agent_of_its_step_went(desk: Desk) -> None:
    await desk.staff({"best": {"sales": 5}, "fair": {"sales": 1}}, "sales", ready=False)
    await desk.acd.agent("best", intent=Intent.NOT_READY, device=Device.IDLE)
    await desk.calls("call", WIDENING)
    await desk.ready("fair")
    await desk.acd.agent("best", intent=Intent.LOGGED_OUT)
    await desk.passes(2_999)
    assert desk.offers == []
    await desk.passes(1)
    assert desk.offered() == [("call", "fair")]


async def test_item_of_a_step_without_anybody_goes_to_a_later_one_when_somebody_of_it_comes(desk: Desk) -> None:
    await desk.staff({"fair": {"sales": 1}}, "sales", ready=False)
    await desk.calls("call", WIDENING)
    await desk.ready("fair")
    await desk.passes(3_000)
    assert desk.offered() == [("call", "fair")]


async def test_agent_who_is_back_within_the_moment_of_grace_finds_the_caller_there(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.acd.agent("8001", intent=Intent.NOT_READY, device=Device.IDLE)
    await desk.calls("call", policy("any", leave_when=BOTH))
    for _ in range(3):
        await desk.acd.agent("8001", intent=Intent.LOGGED_OUT)
        await desk.passes(2_999)
        await desk.acd.agent("8001", intent=Intent.NOT_READY)
        await desk.passes(2_999)
    assert desk.released == []
    assert await desk.acd.position("call") == 1


async def test_offers_that_end_unanswered_do_not_hold_back_a_step_that_began_meanwhile(desk: Desk) -> None:
    await desk.staff({"best": {"sales": 5}, "fair": {"sales": 2}}, "sales")
    await desk.calls("call", WIDENING)
    await desk.passes(15_000)
    assert desk.offered() == [("call", "best")]
    await desk.misses(Missed.NO_ANSWER)
    assert desk.offered() == [("call", "best"), ("call", "fair")]


async def test_hundreds_who_wait_where_nobody_is_move_on_together(desk: Desk) -> None:
    await desk.staff({"best": {"sales": 5}, "fair": {"sales": 1}}, "sales", ready=False)
    await desk.acd.agent("best", intent=Intent.NOT_READY, device=Device.IDLE)
    await desk.acd.agent("fair", intent=Intent.NOT_READY, device=Device.IDLE)
    stays = policy("sales>=3")
    for number in range(230):
        await desk.calls(f"{number}", WIDENING if number % 2 else stays)
    await desk.acd.agent("best", intent=Intent.LOGGED_OUT)
    await desk.passes(3_000)
    assert len(await desk.journal("item.requirements_relaxed")) == 115


# --- preferred ---------------------------------------------------------------------------------------------------


async def test_preferred_agent_is_waited_for_while_they_talk_and_no_longer_than_patience(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.acd.accept(desk.last.token)
    for item in ("patient", "late"):
        await desk.calls(item, preferred="8001", patience_ms=8_000)
    assert len(desk.offers) == 1
    await desk.acd.leave("call", reason="completed")
    await desk.acd.wrapup("8001", 0)
    assert desk.last.item == "patient"
    assert desk.last.agent == "8001"
    await desk.passes(8_000)
    assert (desk.last.item, desk.last.agent) == ("late", "8002")


async def test_preferred_agent_who_is_not_at_work_or_goes_is_not_waited_for(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.acd.accept(desk.last.token)
    await desk.calls("waits", preferred="8001", patience_ms=60_000)
    await desk.acd.agent("8001", intent=Intent.NOT_READY, reason="lunch")
    await desk.passes(3_000)
    assert (desk.last.item, desk.last.agent) == ("waits", "8002")
    await desk.acd.withdraw("waits", "test")
    placement = await desk.calls("other", preferred="8001", patience_ms=60_000)
    assert [offer.agent for offer in placement.offers] == ["8002"]


async def test_preferred_agent_who_missed_the_caller_is_not_waited_for(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call", preferred="8001", patience_ms=30_000)
    assert desk.last.agent == "8001"
    await desk.misses(Missed.REJECTED)
    assert desk.last.agent == "8002"


async def test_preferred_agent_who_takes_none_of_that_kind_is_not_waited_for(desk: Desk) -> None:
    await desk.staff({"chats": AgentTerms(takes={"chat": 2}), "8002": {}}, "any")
    placement = await desk.calls("call", preferred="chats", patience_ms=30_000)
    assert [offer.agent for offer in placement.offers] == ["8002"]


async def test_who_is_preferred_is_tried_first_in_order_among_those_who_meet_the_requirement(desk: Desk) -> None:
    await desk.staff(
        {
            "outsider": {"mandarin": 9},
            "plain": {"sales": 1},
            "speaks": {"sales": 1, "mandarin": 3},
            "best": {"sales": 1, "mandarin": 8},
        },
        "sales",
    )
    wanted = Policy((Step(0, "sales", ("mandarin>=8", "mandarin")),), LEASE_MS, 0)
    for number in range(3):
        await desk.calls(f"call-{number}", wanted)
    assert [agent for _, agent in desk.offered()] == ["best", "speaks", "plain"]


# --- nobody ------------------------------------------------------------------------------------------------------


async def test_entry_is_refused_where_nobody_is_and_the_queue_minds(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}, "8002": {"service": 1}}, "sales", "service", ready=False)
    minds = policy("sales", leave_when=BOTH)
    assert (await desk.calls("call", minds)).refused == "no_agents"
    await desk.ready("8002")
    eligible = policy("sales", base="any", leave_when=BOTH)
    assert (await desk.calls("call", eligible)).refused == "none_eligible"
    assert (await desk.calls("call", policy("sales"))).position == 1


async def test_who_waits_is_let_go_when_the_last_agent_went_and_the_others_wait_on(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.acd.agent("8001", intent=Intent.NOT_READY, device=Device.IDLE)
    await desk.calls("stays")
    await desk.calls("leaves", policy("any", leave_when=BOTH))
    await desk.acd.agent("8001", device=Device.DOWN)
    await desk.passes(3_000)
    assert [(gone.item, gone.reason) for gone in desk.released] == [("leaves", "no_agents")]
    assert await desk.acd.position("stays") == 1


async def test_caller_whose_offer_is_missed_after_everybody_left_is_let_go_too(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call", policy("any", leave_when=BOTH))
    await desk.acd.agent("8001", intent=Intent.LOGGED_OUT)
    await desk.passes(5_000)
    assert desk.released == []
    await desk.misses(Missed.NO_ANSWER)
    await desk.passes(3_000)
    assert [gone.reason for gone in desk.released] == ["no_agents"]


async def test_queue_whose_own_agents_left_lets_go_of_items_that_asked_for_more(desk: Desk) -> None:
    await desk.staff({"latin": {"sales": 1, "latin": 1}, "plain": {"sales": 1}}, "sales", ready=False)
    for agent in ("latin", "plain"):
        await desk.acd.agent(agent, intent=Intent.NOT_READY, device=Device.IDLE)
    await desk.calls("call", policy("sales & latin", base="sales", leave_when=frozenset({Empty.NO_AGENTS})))
    await desk.acd.agent("latin", intent=Intent.LOGGED_OUT)
    await desk.passes(30_000)
    assert desk.released == []
    await desk.acd.agent("plain", intent=Intent.LOGGED_OUT)
    await desk.passes(3_000)
    assert [gone.reason for gone in desk.released] == ["no_agents"]
