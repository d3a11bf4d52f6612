"""How much an agent can have at hand, kind by kind."""

from __future__ import annotations

from engine.acd import AgentTerms, Device, Missed, Work
from tests.acd import inside
from tests.acd.desk import Desk, policy

CHAT = policy("any", kind="chat")
MAIL = policy("any", kind="email")


async def _answers(desk: Desk, *items: str) -> None:
    for offer in [offer for offer in desk.offers if offer.item in items]:
        await desk.acd.accept(offer.token)


async def test_agent_has_as_many_of_a_kind_as_they_take_and_not_one_more(desk: Desk) -> None:
    await desk.staff({"8001": AgentTerms(takes={"chat": 3})}, "any")
    placements = [await desk.calls(f"chat-{n}", CHAT) for n in range(5)]
    assert [placement.position for placement in placements] == [0, 0, 0, 1, 2]
    await _answers(desk, "chat-0")
    await desk.acd.leave("chat-0", reason="completed")
    await desk.acd.wrapup("8001", 0)
    assert desk.last.item == "chat-3"


async def test_kinds_share_one_agent_and_voice_is_all_of_them(desk: Desk) -> None:
    await desk.staff({"8001": AgentTerms(takes={"voice": 1, "chat": 2, "email": 4})}, "any")
    await desk.calls("chat", CHAT)
    await desk.calls("mail-1", MAIL)
    await desk.calls("mail-2", MAIL)
    assert (await desk.calls("mail-3", MAIL)).position == 1, "a half and two quarters are one"
    assert not (await desk.calls("chat-2", CHAT)).offers
    assert not (await desk.calls("call")).offers


async def test_weight_leaves_room_beside_a_kind_of_which_they_take_one(desk: Desk) -> None:
    agents = {"8001": AgentTerms(takes={"chat": 1, "email": 5})}
    await desk.acd.define(agents, [CHAT, MAIL], shares={"chat": 30, "email": 20})
    await desk.ready("8001")
    assert (await desk.calls("chat-1", CHAT)).offers
    assert not (await desk.calls("chat-2", CHAT)).offers, "one chat at once is one, whatever it weighs"
    placements = [await desk.calls(f"mail-{n}", MAIL) for n in range(4)]
    assert [bool(placement.offers) for placement in placements] == [True, True, True, False], "30 and three times 20"
    await _answers(desk, "mail-0")
    await desk.acd.leave("mail-0", reason="completed")
    await desk.acd.wrapup("8001", 0)
    assert desk.last.item == "mail-3"


async def test_call_that_weighs_less_than_an_agent_leaves_room_for_what_does(desk: Desk) -> None:
    agents = {"8001": AgentTerms(takes={"voice": 1, "chat": 2, "email": 5})}
    await desk.acd.define(agents, [policy("any"), CHAT, MAIL], shares={"voice": 80})
    await desk.ready("8001")
    await desk.calls("call")
    await _answers(desk, "call")
    assert (await desk.calls("mail-1", MAIL)).offers, "a fifth is just what is left"
    assert not (await desk.calls("mail-2", MAIL)).offers
    assert not (await desk.calls("chat", CHAT)).offers, "a half is too much"
    assert not (await desk.calls("call-2")).offers


async def test_weights_that_are_changed_hold_at_once_for_those_at_work(desk: Desk) -> None:
    agents = {"8001": AgentTerms(takes={"chat": 1, "email": 5})}
    await desk.staff(agents, "any")
    await desk.calls("chat", CHAT)
    await _answers(desk, "chat")
    assert (await desk.calls("mail", MAIL)).position == 1
    await desk.acd.define(agents, [CHAT, MAIL], shares={"chat": 80})
    assert desk.last.item == "mail"
    await desk.acd.define(agents, [CHAT, MAIL])
    assert len((await desk.agent("8001")).hands) == 2, "what they have at hand they finish"
    assert (await desk.agent("8001")).ready == ()


async def test_only_a_weight_that_changes_something_is_kept_with_the_agent(desk: Desk) -> None:
    agents = {"8001": AgentTerms(takes={"voice": 1, "chat": 2, "email": 5})}
    for shares, limits in (
        ({}, "chat=2 email=5 voice=1!"),
        ({"voice": 100, "chat": 50, "email": 20, "fax": 1}, "chat=2 email=5 voice=1!"),
        ({"voice": 60, "email": 15}, "chat=2 email=5*15 voice=1!*60"),
    ):
        await desk.acd.define(agents, [CHAT, MAIL], interrupting={"voice"}, shares=shares)
        assert (await inside.look(desk.line))["agent:8001"]["limits"] == limits


async def test_call_keeps_everything_else_away(desk: Desk) -> None:
    await desk.staff({"8001": AgentTerms(takes={"voice": 1, "chat": 3})}, "any")
    await desk.calls("call")
    assert (await desk.calls("chat", CHAT)).position == 1
    assert (await desk.agent("8001")).ready == ()


async def test_kind_that_interrupts_comes_to_those_who_have_others_at_hand_and_not_the_other_way(desk: Desk) -> None:
    agents = {"8001": AgentTerms(takes={"voice": 1, "chat": 2})}
    await desk.acd.define(agents, [policy("any"), CHAT], interrupting={"voice"})
    await desk.ready("8001")
    await desk.calls("chat-1", CHAT)
    await _answers(desk, "chat-1")
    assert (await desk.calls("call")).offers
    assert not (await desk.calls("chat-2", CHAT)).offers
    assert not (await desk.calls("call-2")).offers, "one conversation is enough"


async def test_without_a_phone_there_are_no_calls_but_chats(desk: Desk) -> None:
    await desk.staff({"8001": AgentTerms(takes={"voice": 1, "chat": 3})}, "any")
    await desk.acd.agent("8001", device=Device.DOWN)
    assert (await desk.agent("8001")).ready == ("chat",)
    assert (await desk.calls("call")).position == 1
    assert (await desk.calls("chat", CHAT)).offers


async def test_who_talks_on_their_own_phone_is_offered_nothing(desk: Desk) -> None:
    await desk.staff({"8001": AgentTerms(takes={"voice": 1, "chat": 3})}, "any")
    await desk.acd.agent("8001", device=Device.BUSY)
    assert (await desk.calls("chat", CHAT)).position == 1


async def _wraps_up_two_chats(desk: Desk) -> None:
    """8001 takes two at once, and is done with both: the one for 3 s, the other for a minute."""
    await desk.staff({"8001": AgentTerms(takes={"chat": 2})}, "any")
    for item, wrapup_ms in (("short", 3_000), ("long", 60_000)):
        await desk.calls(item, policy("any", kind="chat", wrapup_ms=wrapup_ms))
    await _answers(desk, "short", "long")
    await desk.acd.leave("short", reason="completed")
    await desk.acd.leave("long", reason="completed")


async def test_each_of_several_wrap_ups_ends_at_its_own_time(desk: Desk) -> None:
    await _wraps_up_two_chats(desk)
    assert (await desk.calls("next", CHAT)).position == 1
    await desk.passes(3_000)
    assert desk.last.item == "next"
    assert [hand.item for hand in (await desk.agent("8001")).hands if hand.work == Work.WRAPUP] == ["long"]


async def test_wrap_ups_that_are_made_longer_keep_each_its_own_end(desk: Desk) -> None:
    await _wraps_up_two_chats(desk)
    assert await desk.acd.wrapup("8001", 10_000, actor="li") == 70_000
    left_ms = {hand.item: hand.until_ms - desk.now_ms for hand in (await desk.agent("8001")).hands}
    assert left_ms == {"short": 13_000, "long": 70_000}
    changed = await desk.journal("wrapup.changed")
    assert {event["call"]: (event["until"] - desk.now_ms, event["by"]) for event in changed} == {
        "short": (13_000, "li"),
        "long": (70_000, "li"),
    }


async def test_limit_that_is_lowered_while_they_are_at_work_lets_them_finish(desk: Desk) -> None:
    await desk.staff({"8001": AgentTerms(takes={"chat": 3})}, "any")
    for number in range(3):
        await desk.calls(f"chat-{number}", policy("any", kind="chat", wrapup_ms=0))
    await _answers(desk, "chat-0", "chat-1", "chat-2")
    await desk.staff({"8001": AgentTerms(takes={"chat": 1})}, "any", ready=False)
    await desk.calls("next", CHAT)
    for number in range(2):
        await desk.acd.leave(f"chat-{number}", reason="completed")
    assert desk.last.item != "next"
    await desk.acd.leave("chat-2", reason="completed")
    assert desk.last.item == "next"


async def test_missed_chat_costs_the_place_among_those_with_as_many(desk: Desk) -> None:
    await desk.staff({name: AgentTerms(takes={"chat": 3}) for name in "ab"}, "any")
    await desk.calls("chat", CHAT)
    assert desk.last.agent == "a"
    await desk.misses(Missed.BUSY)
    await desk.acd.withdraw("chat", "test")
    await desk.passes(10_000)
    await desk.calls("next", CHAT)
    assert desk.last.agent == "b"
