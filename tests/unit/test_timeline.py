from dataclasses import replace
from typing import Any

import pytest

from engine.journal import events as e
from engine.journal.spans import span
from engine.journal.timeline import SENTENCES, Context, Timeline, describe, timeline
from tests.unit.test_journal_events import AT, CALL, SAMPLES

NAMES = Context({"8001": "李雷", "8002": "韩梅梅"})

SAID = {
    "call.arrived": "call to 4008001234 from +8613800138000 (北京市, 中国移动) over trunk gw",
    "call.answered": "answered",
    "call.identified": "identity endpoint: ok in 37 ms → 张三, gold",
    "call.recovered": "taken over by an engine after a restart, while waiting",
    "call.ended": "call ended: completed by caller, waited 3.0 s, talked 3.0 s",
    "ivr.node_entered": "step main/menu (menu)",
    "ivr.played": "heard welcome (zh-CN): “您好…”, interrupted by digit",
    "ivr.digit": "pressed a key (not shown)",
    "ivr.node_exited": "left main/menu: key 1",
    "lookup.started": "asking http://127.0.0.1:9000/identity",
    "lookup.finished": "look-up: timeout in 1.5 s",
    "verify.finished": "verified by member, pin: rejected in 12 ms",
    "http.finished": "asked https://crm/{customer.id}: ok in 20 ms → balance",
    "ivr.entered": "keyed in 20261001",
    "ivr.route": "the identity endpoint wants queue sales",
    "item.added": "email for mail from crm: Wrong invoice",
    "item.enqueued": "queued in sales at place 2, needs mandarin>=3, 0 agents ready, "
    "counted as having waited 5 min 00 s",
    "item.announced": "heard their place in the queue: 2",
    "item.refused": "not taken into sales: no agents",
    "item.resumed": "has the place in sales back, after 61 s of waiting",
    "item.requirements_relaxed": "after 20 s others may answer, too: billing>=5",
    "item.policy_changed": "its queue has changed: needs billing>=5 from now on",
    "item.urgent": "has waited 10 min 00 s: next before everybody else",
    "item.deferred": "put back for a while: no answer",
    "item.returned": "waits in sales again",
    "item.assigned": "given to 8001 李雷 by 8003",
    "item.reprioritised": "now counted as having waited 60 s more, strictly before others (level 1), says 8003",
    "item.taken_out": "taken out by 8003: moved queue:service",
    "item.restored": "found talking with 8001 李雷 after Redis was emptied",
    "wrapup.changed": "wrap-up of 8001 李雷 lasts 20 s more, says 8003",
    "item.ended": "left the queue: conversation over",
    "offer.created": "8001 李雷 considered first: idle 42 s; next would be 8002 韩梅梅 (idle 7.0 s); "
    "passed over 8003 (talking)",
    "offer.ringing": "phone of 8001 李雷 rings, 48 ms after the offer",
    "offer.accepted": "8001 李雷 answered after ringing 1.2 s; the caller waited 3.0 s",
    "offer.missed": "8001 李雷 was busy (SIP 486, cause 17); the caller keeps their place",
    "offer.cancelled": "offer to 8001 李雷 taken back: caller left",
    "bridge.started": "talking with 8001 李雷",
    "bridge.ended": "talked for 65 s, ended by caller",
    "wrapup.started": "8001 李雷 in wrap-up for 15 s",
    "wrapup.ended": "8001 李雷 done with wrap-up",
    "voicemail.left": "left a voicemail of 7.0 s in night",
    "voicemail.heard": "8001 李雷 has listened to the voicemail",
    "voicemail.deleted": "the voicemail was deleted by 8001 李雷",
    "outside.dialled": "calling +862188881234 (branch 802) through demo-carrier",
    "outside.answered": "+862188881234 answered after 4.2 s",
    "outside.failed": "+862188881234 not reached: busy after 900 ms (SIP 486, cause 17)",
    "callback.requested": "wants to be called back on +8613800138000 by sales",
    "callback.dialled": "calling +8613800138000 back through demo-carrier for 8001 李雷",
    "callback.answered": "answered after 4.0 s: call hotline-1732219404.12",
    "callback.confirmed": "the customer has pressed the key: it is they who wanted to be called",
    "callback.failed": "try 1 failed: busy (SIP 486, cause 17); the next try comes in 10 min 00 s",
    "callback.moved": "the callback was moved from sales to service",
    "callback.closed": "the callback is done, says 8001 李雷",
    "survey.answered": "answered 5 to satisfied",
    "message.queued": "a message to +8613800138000 waits to be sent",
    "message.delivered": "the message was taken by its endpoint at try 2",
    "message.failed": "the message could not be sent: HTTP 400",
    "agent.intent_changed": "8001 李雷 is now not ready (lunch), says li",
    "agent.skills_changed": "8001 李雷 can now as configured, but queue:sales 1, says li",
    "agent.device_changed": "phone of 8001 李雷 is now unreachable",
    "engine.started": "engine engine-1 started, version 0.1.0",
    "engine.stopped": "engine engine-1 stopped",
    "config.loaded": "the configuration is now version fb6dde884003",
    "node.up": "Asterisk asterisk-1 is connected",
    "node.down": "Asterisk asterisk-1 is gone",
}


def test_every_type_has_its_sentence() -> None:
    assert set(SENTENCES) == set(e.REGISTRY.values())


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: event.type)
def test_an_event_is_said_in_plain_english(event: e.Event) -> None:
    assert describe(event, NAMES) == SAID[event.type]


def test_an_items_story_speaks_of_no_caller_and_no_phone() -> None:
    item = "item-019ab3f2c1d0a1b2c3"
    told = [
        e.OfferRinging(item, AT, "t-1", "8001", 48),
        e.OfferMissed(item, AT, "t-1", "8001", "rejected", 0),
        e.OfferAccepted(item, AT, "t-2", "8001", 3_000, 1_200),
    ]
    assert [describe(event, NAMES) for event in told] == [
        "program of 8001 李雷 shows it, 48 ms after the offer",
        "8001 李雷 rejected it; it keeps its place",
        "8001 李雷 has taken it; it waited 3.0 s",
    ]


def test_what_an_agent_may_do_is_told_without_a_name_where_nobody_gave_one() -> None:
    told = [
        e.AgentIntentChanged("", AT, "8001", "not_ready", "rona"),
        e.AgentSkillsChanged("", AT, "8001", {}),
        e.WrapupChanged(CALL, AT, "8001", AT),
    ]
    assert [describe(event, NAMES) for event in told] == [
        "8001 李雷 is now not ready (rona)",
        "8001 李雷 can now as configured",
        "wrap-up of 8001 李雷 ended by hand",
    ]


def test_an_unknown_event_gets_its_type_and_its_data() -> None:
    event = e.UnknownEvent(CALL, AT, "callback.unheard_of", {"number": "+8613800138000"})
    assert describe(event) == 'callback.unheard_of {"number":"+8613800138000"}'


def test_offsets_count_from_the_first_event() -> None:
    lines = list(timeline([e.CallAnswered(CALL, AT), e.CallAnswered(CALL, AT + 153)]))
    assert [line.offset_s for line in lines] == [0.0, 0.153]
    assert str(lines[1]).split() == ["+0.153", "s", "answered"]


@pytest.mark.parametrize(("kind", "said"), [("menu", "pressed 7"), ("collect", "pressed a key (not shown)")])
def test_digits_are_shown_in_a_menu_and_nowhere_else(kind: str, said: str) -> None:
    reader = Timeline()
    reader.line(e.IvrNodeEntered(CALL, AT, "main", "menu", "menu"))
    reader.line(e.IvrNodeEntered(CALL, AT, "main", "step", kind))
    assert reader.line(e.IvrDigit(CALL, AT, "7")).text == said


def test_a_withheld_number_is_not_told() -> None:
    arrived = next(event for event in SAMPLES if isinstance(event, e.CallArrived))
    said = describe(replace(arrived, presentation="restricted"))
    assert said.startswith("call to 4008001234 from a caller who withholds their number")
    assert arrived.number not in said


def test_a_missed_offer_says_how_long_the_phone_rang() -> None:
    missed = e.OfferMissed(CALL, AT, "t", "8001", "no_answer", 20_000)
    assert describe(missed) == "8001 did not answer after ringing 20 s; the caller keeps their place"


def test_of_an_announcement_the_place_is_told_or_the_wait_or_both() -> None:
    both = e.ItemAnnounced(CALL, AT, 3, 180_000, 300_000)
    assert describe(both) == "heard their place in the queue: 3 and an expected wait of 3 min 00 s to 5 min 00 s"
    assert describe(replace(both, position=0)) == "heard an expected wait of 3 min 00 s to 5 min 00 s"


def test_a_reason_that_is_not_in_the_table_is_said_as_it_is() -> None:
    assert describe(e.OfferMissed(CALL, AT, "t", "8001", "do_not_disturb", 0)).startswith(
        "8001 missed the call: do not disturb;"
    )


def test_why_an_agent_was_passed_over_is_said_in_words() -> None:
    passed = (e.Passed("8002", "excluded"), e.Passed("8003", "not_ready"))
    offer = e.OfferCreated(CALL, AT, "t", "8001", "sales", "any", 500, 0, 1, (), passed)
    assert describe(offer).endswith("; passed over 8002 (missed this caller before), 8003 (not ready)")


def test_an_agent_who_was_reserved_ahead_is_said_to_wrap_up() -> None:
    offer = e.OfferCreated(CALL, AT, "t", "8001", "sales", "any", 0, 0, 1, free_in_ms=4_000, by="ahead")
    assert describe(offer) == "8001 reserved ahead: wraps up for 4.0 s more"


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ({"by": "preferred"}, "8001 comes first as the preferred agent: idle 500 ms; also ready: 8002 (idle 9.0 s)"),
        (
            {"by": "prefer", "prefer": 2},
            "8001 comes first by preference 2: idle 500 ms; next would be 8002 (idle 9.0 s)",
        ),
        ({"by": "hand"}, "8001 chosen by hand: idle 500 ms; also ready: 8002 (idle 9.0 s)"),
        ({"by": "free"}, "8001 came free, and it was first in their lines; also ready: 8002 (idle 9.0 s)"),
    ],
)
def test_by_what_an_agent_was_chosen_is_said_where_it_was_not_the_order(by: dict[str, Any], said: str) -> None:
    candidates = (e.Candidate("8001", 500), e.Candidate("8002", 9_000))
    assert describe(e.OfferCreated(CALL, AT, "t", "8001", "sales", "any", 500, 0, 1, candidates, **by)) == said


@pytest.mark.parametrize(
    ("order", "first", "second", "said"),
    [
        ("fewest_calls", {"calls": 1, "idle_ms": 500}, {"calls": 2, "idle_ms": 9_000},
         "considered first: 1 call, idle 500 ms; next would be 8002 (2 calls, idle 9.0 s)"),
        ("most_proficient", {"proficiency": 9, "idle_ms": 500}, {"proficiency": 7, "idle_ms": 9_000},
         "considered first: proficiency 9, idle 500 ms; next would be 8002 (proficiency 7, idle 9.0 s)"),
        ("least_occupied", {"busy_ms": 0, "idle_ms": 500}, {"busy_ms": 600_000},
         "considered first: at work 0 ms lately, idle 500 ms; next would be 8002 (at work 10 min 00 s lately)"),
        ("round_robin", {"last_offer": 0}, {"last_offer": 17},
         "considered first: no offer yet; next would be 8002"),
        ("linear", {"rank": 0}, {"rank": 2},
         "considered first: number 1 of the list; next would be 8002 (number 3 of the list)"),
        ("weighted", {"weight": 12}, {"weight": 1}, "drawn: weight 12; also ready: 8002 (weight 1)"),
        ("random", {}, {"at_hand": 1}, "drawn; also ready: 8002 (1 at hand)"),
    ],
)  # fmt: skip
def test_each_order_says_what_it_went_by(order: str, first: dict[str, int], second: dict[str, int], said: str) -> None:
    candidates = (e.Candidate("8001", **first), e.Candidate("8002", **second))
    offer = e.OfferCreated(CALL, AT, "t", "8001", "sales", "any", 500, 0, 1, candidates, order=order)
    assert describe(offer) == f"8001 {said}"


def test_a_priority_is_said_where_there_is_one() -> None:
    offer = e.OfferCreated(CALL, AT, "t", "8001", "sales", "any", 500, 0, 1, head_start_ms=300_000, strict=2)
    assert describe(offer).endswith("; its priority: head start 5 min 00 s, strict level 2")
    urgent = replace(offer, head_start_ms=0, strict=0, urgent=True)
    assert describe(urgent).endswith("; its priority: waited as long as it may, so before everybody else")
    queued = e.ItemEnqueued(CALL, AT, "sales", "any", 0, 2, 0, strict=2)
    assert describe(queued).endswith(", strictly before others (level 2)")


def test_a_look_up_that_failed_says_why() -> None:
    assert describe(e.LookupFinished(CALL, AT, "invalid", 2, None, "HTTP 401")) == "look-up: invalid in 2 ms (HTTP 401)"


def test_a_later_offer_says_which_and_after_how_long() -> None:
    offer = e.OfferCreated(CALL, AT, "t", "8001", "sales", "any", 500, 31_000, 3)
    assert describe(offer) == "8001 considered first: idle 500 ms; offer 3, after 31 s of waiting"


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (1_000, "1.0 s"),
        (42_400, "42 s"),
        (200_000, "3 min 20 s"),
        (7_500_000, "2 h 05 min"),
    ],
)
def test_a_span_is_said_as_people_say_it(ms: int, said: str) -> None:
    assert span(ms) == said
