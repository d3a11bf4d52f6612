"""A call without a telephone: what the caller hears, where they end, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.config.trunks import Outbound, Trunk
from engine.simulator.answers import BadAnswers
from engine.simulator.call import NotOurs
from engine.simulator.ordered import BadOrders, Ordered
from tests.unit.simulator.playing import AT, NUMBER, play, said, site_of

MENU: dict[str, Any] = {
    "greet": {"play": ["welcome"]},
    "menu": {"menu": ["menu-main"], "keys": {"1": "sales", "2": "service"}, "tries": 2, "then": "bye"},
    "sales": {"queue": "sales", "for_tier": {"VIP": "vip"}, "when": {"timed_out": "bye", "served": "thanks"}},
    "service": {"queue": "service", "when": {"timed_out": "bye"}},
    "thanks": {"play": ["goodbye"], "then": "end"},
    "bye": {"play": ["all-agents-busy"]},
    "end": {"hangup": "flow_hangup"},
}


def test_a_key_is_pressed_when_the_hotline_has_asked() -> None:
    story = play(MENU, "1")
    assert story.path == ("main/greet", "main/menu", "main/sales")
    assert said(story) == ["welcome", "menu-main"]
    assert (story.end.kind, story.end.target, story.end.facts["require"]) == ("queue", "sales", "sales")
    assert story.unused == ""


def test_a_wait_makes_keys_come_while_something_is_said_and_what_is_then_needless_is_not_heard() -> None:
    story = play(MENU, "wait 0.5, 2")
    assert said(story) == ["welcome"]
    assert str(story.end) == "queue service"


def test_the_next_keys_are_not_taken_for_more_of_the_same_number() -> None:
    steps = {
        "order": {"collect": "order", "ask": ["enter-order-number"], "min": 2, "max": 10},
        "member": {"collect": "member", "ask": ["enter-member-number"], "min": 2, "max": 10},
    }
    story = play(steps, "1234,56#")
    assert (story.variables["order"], story.variables["member"]) == ("1234", "56")


def test_a_silence_is_one_question_unanswered() -> None:
    story = play(MENU, "silence,1")
    assert said(story) == ["welcome", "menu-main", "no-input", "menu-main"]
    assert str(story.end) == "queue sales"


def test_a_caller_who_does_nothing_gets_to_the_end_all_the_same() -> None:
    story = play(MENU)
    assert story.path[-2:] == ("main/bye", "main/end")
    assert str(story.end) == "hangup flow_hangup"


def test_a_caller_who_hangs_up_ends_there() -> None:
    story = play(MENU, "silence,hangup")
    assert story.end.kind == "caller_hung_up"
    assert story.path[-1] == "main/menu"


def test_what_the_hotline_never_asked_for_is_told() -> None:
    assert play(MENU, "1,5,wait 3,2#").unused == "5, wait 3, 2#"


@pytest.mark.parametrize(
    ("outcome", "path"),
    [("served", ("main/sales", "main/thanks", "main/end")), ("timed_out", ("main/sales", "main/bye", "main/end"))],
)
def test_a_stay_in_a_queue_may_be_over_and_the_flow_goes_on(outcome: str, path: tuple[str, ...]) -> None:
    story = play(MENU, "1", after={"queue": outcome})
    assert story.path[-3:] == path
    assert str(story.end) == "hangup flow_hangup"


def test_a_conversation_ends_the_call_when_nothing_is_to_follow_it() -> None:
    assert str(play(MENU, "2", after={"queue": "served"}).end) == "hangup served"


def test_a_tier_decides_on_queue_head_start_and_greeting() -> None:
    steps = {"who": {"lookup": "caller"}, **MENU}
    story = play(steps, "1", identity={"status": "ok", "customer": {"name": "李雷", "tier": "VIP"}})
    assert str(story.end) == "queue vip"
    assert story.end.facts["head_start_s"] == 300
    assert story.variables["customer.name"] == "李雷"


def test_answers_come_one_after_the_other_and_the_last_one_again() -> None:
    steps = {"check": {"verify": ["member"], "tries": 3, "when": {"ok": "in"}}, "out": {"hangup": "rejected"}}
    steps["in"] = {"play": ["verified"]}
    story = play(steps, "1001#,1001#", identity={"member": [{"status": "rejected"}, {"status": "ok"}]})
    assert said(story)[-1] == "verified"


def test_an_endpoint_may_fail_as_it_is_written() -> None:
    steps = {"who": {"lookup": "caller", "when": {"timeout": "late"}, "then": "end"}}
    steps |= {"end": {"hangup": "flow_hangup"}, "late": {"play": ["service-unavailable"]}}
    assert said(play(steps, identity={"status": "timeout"})) == ["service-unavailable"]


@pytest.mark.parametrize("wrong", [{"status": "fine"}, {"caler": {"status": "ok"}}, [3], "yes", {"member": 3}])
def test_an_answer_that_is_none_is_told(wrong: Any) -> None:
    with pytest.raises(BadAnswers, match=r"\"status\""):
        play(MENU, identity=wrong)


def test_other_endpoints_answer_by_the_end_of_their_address() -> None:
    steps = {
        "ask": {"http": "http://127.0.0.1:1/balance/{dialled}", "save": {"balance": "data.balance"}},
        "say": {"say": [{"money": "{balance}"}]},
    }
    story = play(steps, http={"/balance/4008001234": {"data": {"balance": "12.50"}}})
    assert story.variables["balance"] == "12.50"
    assert "twelve" in story.heard[0].words.lower()


def test_the_clock_is_the_calls() -> None:
    steps = {"open": {"hours": "office", "when": {"closed": "no"}, "then": "yes"}}
    steps |= {"yes": {"hangup": "flow_hangup"}, "no": {"hangup": "rejected"}}
    assert play(steps).path[-1] == "main/yes"
    assert play(steps, at=AT.replace(hour=12, minute=30)).path[-1] == "main/no"


def test_a_voicemail_is_pretended() -> None:
    story = play({"leave": {"voicemail": "night"}})
    assert any("pretends: a voicemail in night" in line.text for line in story.lines)
    assert said(story)[-1] == "message-saved"


def test_an_extension_is_where_a_call_may_end() -> None:
    assert str(play({"to": {"extension": "keyed"}}, "8001#").end) == "agent 8001"


@pytest.mark.parametrize(
    ("number", "end"), [("+862188881234", "number +862188881234"), ("+442079460000", "hangup rejected")]
)
def test_a_number_is_where_a_call_ends_if_a_trunk_may_dial_it(number: str, end: str) -> None:
    site = site_of({"to": {"number": number, "when": {"refused": "no"}}, "no": {"hangup": "rejected"}})
    trunk = Trunk(outbound=Outbound(allow=["+8621*"], caller_id=NUMBER))
    hotline = site.hotline.model_copy(update={"trunks": {"carrier": trunk}})
    assert str(play({}, site=replace(site, hotline=hotline)).end) == end


def test_a_flow_that_goes_round_without_end_does_not_keep_the_simulator() -> None:
    story = play({"a": {"set": {"x": "1"}, "then": "a"}})
    assert str(story.end) == "lost loop"


def test_a_number_that_is_not_ours_is_told_with_the_nearest() -> None:
    with pytest.raises(NotOurs, match="did you mean `4008001234`"):
        play(MENU, number="4008001233")


def test_the_story_is_data_too() -> None:
    data = play(MENU, "1").data()
    assert data["end"]["kind"] == "queue"
    assert data["heard"][0]["prompts"] == ("welcome",)
    assert data["lines"][0]["text"].startswith("call to 4008001234 from +8613800138000")


def test_an_operators_orders_are_obeyed() -> None:
    steps = {"open": {"hours": "office", "when": {"forced": "no"}, "then": "yes"}}
    steps |= {"yes": {"hangup": "flow_hangup"}, "no": {"announcement": "banner-incident", "then": "yes"}}
    site = site_of(steps)
    orders = Ordered(hours={"office": "closed"}, announcements=["banner-incident"]).standing(site)
    assert said(play(steps, site=site, orders=orders)) == ["banner-incident"]
    with pytest.raises(BadOrders, match=r"no calendar `ofice` .did you mean `office`"):
        Ordered(hours={"ofice": "closed"}).standing(site)


def test_a_message_is_sent_only_where_there_is_an_endpoint() -> None:
    steps = {
        "tell": {"message": {"to": "{caller.number}"}, "when": {"not_possible": "no"}},
        "yes": {"hangup": "rejected"},
    }
    steps["no"] = {"hangup": "flow_hangup"}
    assert play(steps).path[-1] == "main/no"
