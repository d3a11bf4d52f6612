"""A hand from outside: it cannot race an offer, a hang-up or a limit."""

from __future__ import annotations

from engine.acd import AgentTerms, Intent, Missed
from tests.acd import inside
from tests.acd.desk import Desk, policy


async def test_item_is_given_to_an_agent_whatever_its_requirement_says(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}, "8002": {}}, "sales")
    await desk.calls("call", "sales")
    assert await desk.acd.assign("call", "8002", actor="anna") == ""
    assert desk.offered() == [("call", "8001"), ("call", "8002")]
    [taken_back] = desk.cancelled
    assert (taken_back.agent, taken_back.reason) == ("8001", "assigned")
    assert (await desk.agent("8001")).ready == ("voice",), "at once, and uncharged"
    [told] = await desk.journal("item.assigned")
    assert (told["agent"], told["by"]) == ("8002", "anna")


async def test_agent_pulls_an_item_past_those_before_it(desk: Desk) -> None:
    await desk.staff({"8001": {"sales": 1}, "8002": {}}, "sales", ready=False)
    for number in range(3):
        await desk.calls(f"call-{number}", "sales")
    await desk.ready("8002")
    assert await desk.acd.assign("call-2", "8002", actor="8002") == ""
    assert await desk.acd.accept(desk.last.token) is True
    assert await desk.acd.position("call-1") == 2


async def test_agent_who_missed_the_item_may_be_given_it_all_the_same(desk: Desk) -> None:
    await desk.staff({"8001": AgentTerms()}, "any")
    await desk.calls("call")
    await desk.misses(Missed.NO_ANSWER)
    await desk.passes(5_000)
    assert len(desk.offers) == 1
    assert await desk.acd.assign("call", "8001", actor="anna") == ""


async def test_why_an_item_cannot_be_given_to_an_agent_is_said(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}, "8003": AgentTerms(takes={"chat": 1})}, "any")
    await desk.calls("talks")
    await desk.acd.accept(desk.last.token)
    await desk.acd.agent("8002", intent=Intent.NOT_READY)
    await desk.calls("call")
    acd = desk.acd
    assert await acd.assign("call", "8001", actor="anna") == "talking"
    assert await acd.assign("call", "8002", actor="anna") == "not_ready"
    assert await acd.assign("call", "8003", actor="anna") == "no_capacity"
    assert await acd.assign("call", "8009", actor="anna") == "unknown_agent"
    assert await acd.assign("talks", "8002", actor="anna") == "talking"
    assert await acd.assign("gone", "8002", actor="anna") == "gone"
    assert await acd.position("call") == 1


async def test_reprioritised_item_takes_its_new_place_and_keeps_it(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    for number in range(3):
        await desk.calls(f"call-{number}")
        await desk.passes(1_000)
    await desk.acd.reprioritise("call-2", head_start_ms=1_500, actor="anna")
    assert [await desk.acd.position(f"call-{number}") for number in (0, 2, 1)] == [1, 2, 3]
    await desk.acd.reprioritise("call-2", head_start_ms=0, strict=1, actor="anna")
    assert await desk.acd.position("call-2") == 1
    await desk.ready("8001")
    assert desk.last.item == "call-2"


async def test_item_that_is_taken_out_is_told_to_its_engine_with_its_target(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any")
    await desk.calls("call")
    other = Desk(desk.line, "another")
    other.now_ms = desk.now_ms
    assert await other.acd.release("call", "moved", target="queue:service", actor="anna") is True
    assert (other.released, other.cancelled) == ([], [])
    letters = await desk.line.call("LRANGE", f"{inside.PREFIX}mailbox:one", 0, -1)
    assert [letter.split('"')[1] for letter in letters] == ["cancelled", "released"]
    assert "queue:service" in letters[1]
    assert await other.acd.release("call", "moved", actor="anna") is False
    assert (await desk.agent("8001")).ready == ("voice",)


async def test_what_an_item_has_of_its_own_goes_with_it_when_it_is_moved(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    await desk.calls("before", queue="service", waited_ms=60_000)
    await desk.calls("call")
    await desk.acd.reprioritise("call", head_start_ms=300_000, strict=1, actor="anna")
    await desk.acd.release("call", "moved", target="queue:service", actor="anna")
    [moved] = desk.released
    assert (moved.queue, moved.head_start_ms, moved.strict) == ("service", 300_000, 1)
    await desk.calls("call", queue="service", head_start_ms=moved.head_start_ms, strict=moved.strict)
    assert [item.id for item in await desk.acd.waiting("service")] == ["call", "before"]
    told = await desk.acd.explain("call")
    assert told is not None
    assert (told.head_start_ms, told.strict) == (300_000, 1)


async def test_accepted_item_is_nobodys_to_move(desk: Desk) -> None:
    await desk.staff({"8001": {}, "8002": {}}, "any")
    await desk.calls("call")
    await desk.acd.accept(desk.last.token)
    assert await desk.acd.release("call", "moved", actor="anna") is False
    assert await desk.acd.reprioritise("call", head_start_ms=1, actor="anna") is False
    assert await desk.acd.defer("call", 1_000, "no") is False
    assert await desk.acd.withdraw("call", "no") is False


async def test_explanation_tells_step_place_and_what_speaks_against_each_agent(desk: Desk) -> None:
    await desk.staff({"away": {"sales": 1}, "missed": {"sales": 1}, "plain": {}}, "sales", ready=False)
    await desk.ready("missed")
    terms = policy("sales", "any", after=(30_000,), max_wait_ms=60_000, strict=1)
    await desk.calls("call", terms, head_start_ms=5_000)
    await desk.misses(Missed.NO_ANSWER)
    await desk.passes(10_000)
    told = await desk.acd.explain("call")
    assert told is not None
    assert (told.state, told.position, told.waited_ms, told.head_start_ms, told.strict) == (
        "waiting",
        1,
        10_000,
        5_000,
        1,
    )
    assert (told.next_step_in_ms, told.limit_in_ms, told.limit_why) == (20_000, 50_000, "timed_out")
    assert [(step.requirement, step.members, step.now) for step in told.steps] == [
        ("sales", 2, True),
        ("any", 3, False),
    ]
    assert {agent.agent: agent.why for agent in told.agents} == {"away": "logged_out", "missed": "excluded"}
    await desk.ready("away")
    told = await desk.acd.explain("call")
    assert told is not None
    assert [(offer.agent, offer.state) for offer in told.offers] == [("away", "offered")]
    assert await desk.acd.explain("unknown") is None


async def test_waiting_items_are_listed_in_slices_the_next_one_first(desk: Desk) -> None:
    await desk.staff({"8001": {}}, "any", ready=False)
    for number in range(5):
        await desk.calls(f"call-{number}", data=f"data-{number}")
    await desk.acd.reprioritise("call-4", head_start_ms=1_000, actor="anna")
    first = await desk.acd.waiting("sales", 0, 1)
    assert [(item.id, item.data, item.state) for item in first] == [
        ("call-4", "data-4", "waiting"),
        ("call-0", "data-0", "waiting"),
    ]
    assert [item.id for item in await desk.acd.waiting("sales", 3, 9)] == ["call-2", "call-3"]
