"""The commands of supervisors and of those who bring items, against an engine with canned answers."""

from __future__ import annotations

import re
import time
from typing import Any

import orjson
import pytest

from engine.cli import common
from engine.host.state import State
from tests.unit.command_line import row, run
from tests.unit.fake_engine import FakeEngine

CALL, ITEM = "01kak3r9sdm4p7", "item-019ab3f2c1d0a1b2c3"
AT = 1_763_761_507_000
NOW_MS = time.time_ns() // 1_000_000
LATER_MS = NOW_MS + 95_000

WAITS: dict[str, Any] = {
    "id": CALL, "type": "call", "state": "waiting", "agents": [], "offers": 1, "since_ms": NOW_MS - 7_500_000,
    "about": "+8613800138000 欧阳[/]娜娜",
}  # fmt: skip
NOW: dict[str, Any] = {
    "id": CALL, "queue": "sales", "type": "call", "kind": "voice", "state": "waiting", "order": "longest_idle",
    "position": 2, "waited_ms": 42_000, "head_start_ms": 300_000, "strict": 0, "urgent": False, "limit_in_ms": 558_000,
    "limit_why": "timed_out", "next_step_in_ms": 18_000, "back_in_ms": -1, "talking_ms": -1, "attempt": 1,
    "preferred": "",
    "steps": [
        {"after_ms": 0, "requirement": "sales>=8", "members": 2, "ready": 0, "staffed": True, "now": True},
        {"after_ms": 60_000, "requirement": "sales", "members": 9, "ready": 1, "staffed": False, "now": False},
    ],
    "agents": [
        {"agent": "8001", "why": "excluded", "until_ms": AT, "idle_ms": 0},
        {"agent": "8003", "why": "wrapup", "until_ms": 0, "idle_ms": 0},
    ],
    "offers": [],
}  # fmt: skip
MISSED: dict[str, Any] = {
    "at": AT + 2_000, "token": f"1-{CALL}", "agent": "8001", "queue": "sales", "requirement": "sales>=8", "step": 1,
    "order": "longest_idle", "attempt": 1, "wait_ms": 2_000, "idle_ms": 65_000, "free_in_ms": 0,
    "by": "", "prefer": 0, "head_start_ms": 300_000, "strict": 0, "urgent": False,
    "rang": True, "outcome": "no_answer", "outcome_at": AT + 22_000,
    "candidates": [{"agent": "8001", "idle_ms": 65_000}], "passed": [{"agent": "8003", "why": "talking"}],
}  # fmt: skip
QUEUED = {"type": "item.enqueued", "call": CALL, "at": AT, "queue": "sales", "requirement": "sales>=8",
          "head_start_ms": 300_000, "position": 0, "ready": 1}  # fmt: skip
EXPLAINED: dict[str, Any] = {
    "id": CALL, "now": NOW, "unmet": [{"agent": "8002", "lacks": ["client.open", "sales>=8"]}], "offers": [MISSED],
    "path": [QUEUED], "ended": None, "names": {"8001": "李雷"}, "fault": "",
}  # fmt: skip
EMAIL: dict[str, Any] = {
    "id": ITEM, "queue": "mail", "type": "email", "subject": "Wrong [/] invoice", "data": {"mail": 4711}, "by": "crm",
    "added_ms": NOW_MS - 7_500_000, "state": "talking", "agent": "8002", "offers": 1,
}  # fmt: skip
DONE = EMAIL | {"id": "item-1", "reason": "completed", "ended_ms": AT}
OFFER = {"token": f"7-{ITEM}", "attempt": 1, "until_ms": LATER_MS, "item": EMAIL}
ADDED = {"type": "item.added", "call": ITEM, "at": AT, "queue": "mail", "what": "email", "subject": "x", "by": "crm"}
ANSWERS: dict[str, Any] = {
    "/v1/queues/sales/waiting": {
        "queue": "sales",
        "line": [WAITS],
        "others": [WAITS | {"id": "other", "state": "offered", "agents": ["8001", "8003"]}],
    },
    "/v1/queues/empty/waiting": {"queue": "empty", "line": [], "others": []},
    "/v1/accuracy": [
        {"queue": "sales", "told": 40, "within": 33, "took_ms": 190_000, "error_ms": 61_000, "bias_ms": -9_000},
        {"queue": "service", "told": 1, "within": 1, "took_ms": 45_000, "error_ms": 2_000, "bias_ms": 2_000},
    ],
    f"/v1/explain/{CALL[:5]}": EXPLAINED,
    "/v1/items": {"items": [EMAIL], "count": 3, "ended": [DONE]},
    f"/v1/items/{ITEM}": {"id": ITEM, "item": EMAIL, "events": [ADDED], "names": {}, "fault": ""},
    "/v1/agents/8002/offers": {"version": 7, "offers": [OFFER], "items": [EMAIL]},
}


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common.console, "width", common.WIDE)


@pytest.mark.usefixtures("engine")
def test_the_line_of_a_queue_names_who_waits_and_who_is_being_offered(state: State) -> None:
    said = run(state, "queues", "sales")
    assert row(said, CALL).split()[:3] == ["1", CALL, "call"]
    assert re.search(r"2 h 0\d min", row(said, CALL))
    assert "+8613800138000 欧阳[/]娜娜" in row(said, CALL)
    assert "offered to 8001, 8003" in row(said, "other")
    assert "Nobody waits in empty" in run(state, "queues", "empty")


@pytest.mark.usefixtures("engine")
def test_how_good_the_waits_were_that_callers_were_told_is_a_row_for_each_queue(state: State) -> None:
    said = run(state, "queues", "--accuracy")
    assert row(said, "sales").split() == ["sales", "40", "82%", "3", "min", "10", "s", "61", "s", "-9.0", "s"]
    assert row(said, "service").split() == ["service", "1", "100%", "45", "s", "2.0", "s", "+2.0", "s"]
    assert "service" not in run(state, "queues", "sales", "--accuracy")
    assert orjson.loads(run(state, "queues", "--accuracy", "--json")) == ANSWERS["/v1/accuracy"]


@pytest.mark.usefixtures("engine")
def test_a_queue_whose_callers_are_told_nothing_says_which_setting_does_it(state: State) -> None:
    said = run(state, "queues", "mail", "--accuracy")
    assert "`announce: {wait: true}` in dialplan/queues.yaml tells callers of mail" in said


@pytest.mark.usefixtures("engine")
def test_an_explanation_tells_steps_score_and_everybodys_reason(state: State) -> None:
    said = run(state, "explain", CALL[:5])
    assert "call (voice) in sales: waits at place 2, 42 s so far" in said
    assert "score: waited 42 s + head start 5 min 00 s = 5 min 42 s" in said
    assert "next step in 18 s" in said
    assert "leaves in 9 min 18 s: it has waited too long" in said
    assert row(said, "at once  ").split() == ["now", "at", "once", "sales>=8", "2", "0"]
    assert "9, none of them there" in row(said, "after 60 s")
    assert "pausing" not in said
    assert "missed this caller before" in row(said, "8001 李雷  ")
    assert "no program open; lacks sales>=8" in row(said, "8002")


@pytest.mark.usefixtures("engine")
def test_an_explanation_tells_each_offer_as_it_was_decided(state: State) -> None:
    said = run(state, "explain", CALL[:5])
    assert (
        "offer 1 to 8001 李雷, step 1: sales>=8; after 2.0 s (head start 5 min 00 s), the longest idle first → " in said
    )
    assert "considered: 8001 李雷 idle 65 s" in said
    assert "passed over: 8003 talking" in said
    assert said.index("queued in sales") < said.index("offer 1 to")


def test_an_offer_made_ahead_is_explained_with_what_is_left_of_the_wrap_up(state: State, engine: FakeEngine) -> None:
    offered = {"agent": "8001", "state": "offered", "token": "1-x", "ms": -4_000}
    ahead = {**MISSED, "free_in_ms": 10_000, "by": "ahead", "idle_ms": 0, "outcome": ""}
    engine.answers[f"/v1/explain/{CALL[:5]}"] = EXPLAINED | {"now": NOW | {"offers": [offered]}, "offers": [ahead]}
    said = run(state, "explain", CALL[:5])
    assert "free in 4.0 s, after their wrap-up" in row(said, "8001 李雷  ")
    assert "(head start 5 min 00 s), ahead of the last 10 s of their wrap-up → open" in said


@pytest.mark.parametrize(
    ("decided", "said"),
    [
        ({"by": "preferred"}, "the preferred agent before the longest idle first"),
        ({"by": "prefer", "prefer": 2}, "preference 2, and of those the longest idle first"),
        ({"by": "hand"}, "by hand"),
        ({"by": "free"}, "they came free, and it was first in their lines"),
        ({"order": "fewest_calls"}, "who had the fewest calls first"),
    ],
)
def test_an_offer_says_by_what_its_agent_was_chosen(
    state: State, engine: FakeEngine, decided: dict[str, Any], said: str
) -> None:
    engine.answers[f"/v1/explain/{CALL[:5]}"] = EXPLAINED | {"offers": [MISSED | decided]}
    assert f"(head start 5 min 00 s), {said} → did not answer" in run(state, "explain", CALL[:5])


def test_candidates_are_told_with_the_value_by_which_the_order_went(state: State, engine: FakeEngine) -> None:
    candidates = [{"agent": "8001", "calls": 1, "idle_ms": 500}, {"agent": "8003", "calls": 4, "idle_ms": 9_000}]
    passed = [{"agent": "8002", "why": "less_preferred"}]
    offer = MISSED | {"candidates": candidates, "passed": passed, "strict": 2, "urgent": True}
    engine.answers[f"/v1/explain/{CALL[:5]}"] = EXPLAINED | {"offers": [offer]}
    told = run(state, "explain", CALL[:5])
    assert "considered: 8001 李雷 1 call, idle 500 ms; 8003 4 calls, idle 9.0 s" in told
    assert "passed over: 8002 ready, but less preferred" in told
    assert "(head start 5 min 00 s, strict level 2, waited as long as it may, so before everybody else)" in told


def test_the_wait_of_who_talks_ended_with_the_answer(state: State, engine: FakeEngine) -> None:
    accepted = {"agent": "8001", "state": "accepted", "token": "1-x", "ms": 604_000}
    talks = NOW | {"state": "talking", "position": 0, "waited_ms": 7_000, "talking_ms": 600_000, "offers": [accepted],
                   "next_step_in_ms": -1, "limit_in_ms": -1}  # fmt: skip
    engine.answers[f"/v1/explain/{CALL[:5]}"] = EXPLAINED | {"now": talks}
    said = run(state, "explain", CALL[:5])
    assert "at 8001's hand for 10 min 00 s; it waited 7.0 s" in said
    assert "score: waited 7.0 s" in said
    assert row(said, "8001 李雷  ").split()[2:] == ["talking", "for", "10", "min", "00", "s"]
    assert "lacks sales>=8" not in said, "nobody else is in question any more"


def test_what_has_ended_is_explained_without_a_present(state: State, engine: FakeEngine) -> None:
    ended = {"type": "item.ended", "call": CALL, "at": AT, "reason": "timed_out"}
    engine.answers[f"/v1/explain/{CALL[:5]}"] = EXPLAINED | {"now": None, "unmet": [], "ended": ended}
    assert "ended: left the queue: timed out" in run(state, "explain", CALL[:5])


def test_a_supervisors_hand_is_told_to_the_engine_with_whose_it_was(state: State, engine: FakeEngine) -> None:
    engine.accepted = {"id": CALL, "agent": "8001", "queue": "service", "reason": "x", "head_start_s": 300, "strict": 2}
    by = ("--by", "li")
    assert f"{CALL} is offered to 8001" in run(state, "queue", "assign", CALL, "8001", *by)
    assert "goes to service" in run(state, "queue", "move", CALL, "service", *by)
    said = run(state, "queue", "priority", CALL, "--head-start", "5m", "--strict", "2", *by)
    assert "counts as having waited 5 min 00 s more, strictly before others (level 2)" in said
    run(state, "queue", "priority", CALL, "--head-start", "0s", *by)
    run(state, "queue", "withdraw", "a/b", "--reason", "sent twice", *by)
    assert engine.posted == [
        (f"/v1/items/{CALL}/assign", {"agent": "8001", "by": "li"}),
        (f"/v1/items/{CALL}/move", {"queue": "service", "by": "li"}),
        (f"/v1/items/{CALL}/priority", {"head_start_s": 300.0, "strict": 2, "by": "li"}),
        (f"/v1/items/{CALL}/priority", {"head_start_s": 0.0, "strict": 0, "by": "li"}),
        ("/v1/items/a/b/withdraw", {"reason": "sent twice", "by": "li"}),
    ]


@pytest.mark.usefixtures("engine")
def test_items_are_listed_with_who_has_them_and_how_they_ended(state: State) -> None:
    said = run(state, "items", "--ended", "5")
    assert "Wrong [/] invoice" in row(said, ITEM)
    assert "at hand, 8002" in row(said, ITEM)
    assert "completed, 8002" in row(said, "item-1 ")
    assert "2 more" in said


def test_an_item_is_added_with_its_data(state: State, engine: FakeEngine) -> None:
    engine.accepted = {"id": ITEM}
    words = ("--queue", "mail", "--type", "email", "--subject", "Wrong invoice", "--by", "crm")
    assert run(state, "items", "add", *words, "--data", '{"mail": 4711}').strip() == ITEM
    said = {"queue": "mail", "type": "email", "subject": "Wrong invoice", "by": "crm"}
    assert engine.posted == [("/v1/items", said | {"data": {"mail": 4711}})]
    assert "write JSON" in run(state, "items", "add", *words, "--data", "{mail", code=2)


@pytest.mark.usefixtures("engine")
def test_an_items_story_is_told(state: State) -> None:
    said = run(state, "items", "show", ITEM)
    assert "email in mail: Wrong [/] invoice" in said
    assert '{"mail":4711}' in said
    assert "email for mail from crm: x" in said


def test_an_agent_works_by_hand(state: State, engine: FakeEngine) -> None:
    engine.accepted = {"id": ITEM, "token": "7"}
    said = run(state, "items", "offers", "8002", "--wait", "5s")
    assert engine.asked == ["/v1/agents/8002/offers?wait=5"]
    assert f"7-{ITEM}" in said
    assert ITEM in row(said, "at hand")
    assert f"hotline items complete {ITEM}" in run(state, "items", "accept", f"7-{ITEM}")
    run(state, "items", "reject", f"8-{ITEM}")
    run(state, "items", "complete", ITEM)
    assert "put off for 2 h 00 min" in run(state, "items", "defer", ITEM, "--for", "2h")
    assert engine.posted == [
        (f"/v1/offers/7-{ITEM}/accept", {}),
        (f"/v1/offers/8-{ITEM}/reject", {}),
        (f"/v1/items/{ITEM}/complete", {}),
        (f"/v1/items/{ITEM}/defer", {"for_s": 7200.0, "reason": "later"}),
    ]


def test_agents_are_made_ready_join_leave_and_wrap_up_by_somebodys_hand(state: State, engine: FakeEngine) -> None:
    engine.accepted = {"left_ms": 65_000}
    by = ("--by", "li")
    run(state, "agents", "not-ready", "8001", "--reason", "lunch", *by)
    run(state, "agents", "ready", "8001", *by)
    run(state, "agents", "join", "8001", "sales", *by)
    run(state, "agents", "leave", "8001", "sales", *by)
    assert "8001 wraps up for 65 s more" in run(state, "agents", "wrapup", "8001", "--extend", "60s", *by)
    assert "8001's wrap-up is over" in run(state, "agents", "wrapup", "8001", "--skip", *by)
    assert engine.posted == [
        ("/v1/agents/8001/intent", {"intent": "not_ready", "reason": "lunch", "by": "li"}),
        ("/v1/agents/8001/intent", {"intent": "ready", "by": "li"}),
        ("/v1/agents/8001/join", {"queue": "sales", "by": "li"}),
        ("/v1/agents/8001/leave", {"queue": "sales", "by": "li"}),
        ("/v1/agents/8001/wrapup", {"extend_s": 60.0, "by": "li"}),
        ("/v1/agents/8001/wrapup", {"skip": True, "by": "li"}),
    ]
    assert "either --extend 60s or --skip" in run(state, "agents", "wrapup", "8001", code=2)


def test_agents_show_what_is_left_of_wrap_up_and_pause(state: State, engine: FakeEngine) -> None:
    later_ms = time.time_ns() // 1_000_000 + 95_000
    hands = [
        {"kind": "email", "work": "talking", "since_ms": NOW_MS - 7_500_000, "until_ms": 0, "item": ITEM},
        {"kind": "email", "work": "wrapup", "since_ms": NOW_MS, "until_ms": later_ms, "item": "item-1"},
    ]
    agent = {
        "id": "8001", "name": "李雷", "skills": {"english": 8}, "queues": ["mail"], "intent": "not_ready",
        "reason": "lunch", "since_ms": NOW_MS - 7_500_000, "device": "idle", "program": True, "hands": hands,
        "cool_until_ms": later_ms, "idle_since_ms": 0,
    }  # fmt: skip
    engine.answers["/v1/agents"] = [agent]
    said = run(state, "agents")
    first = row(said, "8001")
    for text in ("english 8, mail", "not ready (lunch) 2 h 0", "idle, program", "talking", ITEM):
        assert text in first
    assert row(said, "wrapup").split()[2:4] == ["s", "left"]
    assert "left" in row(said, "pauses")


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("command", "path"),
    [
        (("queues", "sales"), "/v1/queues/sales/waiting"),
        (("explain", CALL[:5]), f"/v1/explain/{CALL[:5]}"),
        (("items",), "/v1/items"),
        (("items", "show", ITEM), f"/v1/items/{ITEM}"),
        (("items", "offers", "8002"), "/v1/agents/8002/offers"),
    ],
)
def test_programs_get_json(state: State, command: tuple[str, ...], path: str) -> None:
    assert orjson.loads(run(state, *command, "--json")) == ANSWERS[path]
