"""queues.yaml and agents.yaml: what they say, and what is wrong with them, at its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.acd import parse
from engine.config.agents import Agent
from engine.config.queues import Queue, QueuesFile, QueueStep
from tests.unit.queues.writing import AGENTS, faults, site

OUTBOUND = {"trunks": {"demo-carrier": {"outbound": {"allow": ["+86*"], "caller_id": "4008001234"}}}}


def stages(**written: Any) -> list[tuple[float, str, list[str]]]:
    return [(step.after, step.require, list(step.prefer)) for step in Queue.model_validate(written).widening]


def test_what_is_required_at_once_is_one_step() -> None:
    assert stages(require="sales >= 4", prefer=["mandarin"]) == [(0.0, "sales>=4", ["mandarin"])]


def test_each_step_has_everybody_of_those_before_it() -> None:
    steps = [
        {"require": "billing >= 8"},
        {"after": "20s", "require": "english", "prefer": ["billing>=5"]},
        {"after": "30s", "require": "english & billing"},
        {"after": "60s", "require": "any"},
    ]
    assert stages(steps=steps, prefer=["vip_desk"]) == [
        (0.0, "billing>=8", ["vip_desk"]),
        (20.0, "billing>=8 | english", ["billing>=5", "vip_desk"]),
        (30.0, "billing>=8 | english", ["vip_desk"]),
        (60.0, "any", ["vip_desk"]),
    ]


@given(
    st.lists(st.sampled_from(["a>=3", "a & b", "b | !c", "any", "c>=2 & !b"]), min_size=1, max_size=4),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 4)),
)
def test_nobody_loses_an_agent_by_waiting(requirements: list[str], skills: dict[str, int]) -> None:
    queue = Queue(steps=[QueueStep(after=10 * n, require=text) for n, text in enumerate(requirements)])
    met = [any(parse(text).met_by(skills, "8001") for text in requirements[: n + 1]) for n in range(len(requirements))]
    for step in queue.widening:
        assert parse(step.require).met_by(skills, "8001") is met[int(step.after / 10)]


def test_a_queue_that_requires_nothing_is_served_by_those_who_name_it(tmp_path: Path) -> None:
    agents = AGENTS | {"8003": {"name": "王芳", "queues": ["desk"]}}
    loaded = site(tmp_path, {"desk": None}, agents=agents, steps={"a": {"queue": "desk"}})
    desk = parse(loaded.queues["desk"].base)
    assert [user for user, agent in loaded.agents.items() if desk.met_by(agent.abilities, user)] == ["8003"]


def test_kinds_are_there_anyway_and_can_be_changed_in_part() -> None:
    written = {"queues": {"a": {}}, "kinds": {"chat": {"interrupts": True}, "fax": {"at_once": 2}}}
    kinds = QueuesFile.model_validate(written).all_kinds()
    assert {"voice", "chat", "email", "sms", "social", "task", "fax"} == set(kinds)
    assert (kinds["chat"].at_once, kinds["chat"].interrupts, kinds["fax"].at_once) == (3, True, 2)
    assert (kinds["voice"].at_once, kinds["voice"].interrupts) == (1, False)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({}, (True, False, 30.0)),
        ({"announce_position": "10s"}, (True, False, 10.0)),
        ({"announce_position": 0, "max_wait": "5m"}, (True, False, 300.0)),
        ({"announce": {"wait": True, "every": "20s"}}, (True, True, 20.0)),
        ({"announce": {"position": False}}, None),
        ({"announce_position": None}, None),
    ],
)
def test_what_is_said_is_written_short_or_long(written: dict[str, Any], said: Any) -> None:
    announcing = Queue.model_validate({"require": "any", **written}).announcing
    assert (announcing and (announcing.position, announcing.wait, announcing.every)) == said


@pytest.mark.parametrize(
    ("queue", "fault"),
    [
        ({"require": "any", "steps": [{"require": "any"}]}, "2:3: `sales`: write either `require`, or `steps`"),
        ({"steps": [{"require": "any", "after": "5s"}]}, "the first has no `after`"),
        ({"steps": [{"require": "sales"}, {"require": "any"}]}, "each of the others a later one"),
        ({"steps": [{"require": "sales >"}]}, "4:7: `require`: requirement 'sales >', character 7"),
        ({"require": "any", "strategy": "fastest"}, "`strategy`: input should be 'longest_idle', 'least_occupied'"),
        (
            {"require": "any", "ring_at_once": 21},
            "4:5: `ring_at_once`: 21 is none; write how many phones ring, 1 to 20, or `all`",
        ),
        ({"require": "any", "ring_at_once": "every"}, "`ring_at_once`: 'every' is none"),
        ({"require": "any", "capacity": 0}, "4:5: `capacity`: input should be greater than or equal to 1"),
        ({"require": "any", "max_wait": 0}, "4:5: nobody could wait here; write how long a caller may: `10m`"),
        ({"require": "any", "strict": 10}, "`strict`: input should be less than or equal to 9"),
        ({"require": "any", "kind": "chatt"}, "4:5: no kind `chatt` (did you mean `chat`?)"),
        ({"require": "any", "hours": "offices"}, "4:5: no calendar `offices` in dialplan/calendars.yaml (did you"),
        ({"require": "any", "announce": {"keys": "press-one"}}, "tells of keys, and the queue has none: write `keys`"),
        ({"require": "any", "closing": "eject"}, "`closing: eject` needs the name of a calendar: `hours: office`"),
        ({"require": "any", "keys": {"12": "leave"}}, "`12`: string should match pattern"),
        ({"require": "any", "keys": {1: "hang_up"}}, "`1`: input should be 'callback', 'voicemail' or 'leave'"),
        ({"require": "any", "announce": {}, "announce_position": "10s"}, "write one of them"),
        ({"require": "queue:sale"}, "3:5: `queue:sale`: no such queue (did you mean `sales`?)"),
        ({"require": "any", "prefer": ["agent:8009"]}, "5:7: `agent:8009`: no such agent in dialplan/agents.yaml (did"),
    ],
)
def test_a_fault_of_a_queue_is_told_at_its_line(tmp_path: Path, queue: dict[str, Any], fault: str) -> None:
    (said,) = [said for said in faults(tmp_path, {"sales": queue}) if fault in said]
    assert said.startswith("dialplan/queues.yaml:")


@pytest.mark.parametrize(
    ("agent", "fault"),
    [
        ({"queues": ["sale"]}, "5:7: no queue `sale` in dialplan/queues.yaml (did you mean `sales`?)"),
        ({"takes": {"chatt": 2}}, "5:7: no kind `chatt` (did you mean `chat`?)"),
        ({"takes": {"voice": 2}}, "one person talks with one caller"),
        ({"weight": 0}, "4:5: `weight`: input should be greater than or equal to 1"),
        ({"number": "+8613800138000", "contact": "sip:a@b"}, "`number` is dialled through a trunk"),
        ({"number": "+8613800138000"}, "4:5: `+8613800138000` cannot be dialled: no such trunk has `outbound`"),
    ],
)
def test_a_fault_of_an_agent_is_told_at_its_line(tmp_path: Path, agent: dict[str, Any], fault: str) -> None:
    (said,) = faults(tmp_path, {"sales": {"require": "any"}}, agents={"8001": {"name": "李雷", **agent}})
    assert said.startswith("dialplan/agents.yaml:")
    assert fault in said


@pytest.mark.parametrize(
    ("kind", "takes", "fault"),
    [
        ({"weight": 34}, {}, "6:5: 3 of 34 % each are more than one person; 2 is the most: change it, or `at_once`"),
        ({"at_once": 2, "weight": 51}, {}, "7:5: 2 of 51 % each are more than one person; 1 is the most"),
        ({"at_once": 1, "weight": 30}, {"chat": 4}, "5:7: 4 of 30 % each are more than one person; 3 is the most (its"),
        ({"weight": 0}, {}, "6:5: `weight`: input should be greater than or equal to 1"),
        ({"weight": 101}, {}, "6:5: `weight`: input should be less than or equal to 100"),
        ({"at_once": 2, "weight": 50}, {"chat": 0}, ""),
        ({"weight": 33}, {"chat": 2}, ""),
    ],
)
def test_more_of_a_kind_than_its_weight_has_room_for_is_a_fault(
    tmp_path: Path, kind: dict[str, Any], takes: dict[str, int], fault: str
) -> None:
    agents = {"8001": {"name": "李雷", "takes": takes}}
    said = faults(tmp_path, {"sales": {"require": "any"}}, agents=agents, kinds={"chat": kind})
    assert len(said) == bool(fault)
    assert fault in "".join(said)


def test_an_agent_with_an_outside_phone_has_no_sip_phone_and_confirms(tmp_path: Path) -> None:
    agents = AGENTS | {"8009": {"name": "赵敏", "number": "+8613800138000"}}
    loaded = site(tmp_path, {"sales": {"require": "any", "ring_at_once": 3}}, agents=agents, hotline=OUTBOUND)
    assert set(loaded.phones()) == {"8001", "8002", "8003"}
    assert {user for user, agent in loaded.agents.items() if agent.confirms} == {"8009"}
    assert Agent(name="赵敏", confirm=True).confirms


# Who could answer.


def test_the_step_that_nobody_can_meet_is_told_with_whoever_comes_nearest(tmp_path: Path) -> None:
    steps = [{"require": "billing >= 8"}, {"after": "20s", "require": "billing >= 9 & mandarin & !english"}]
    (said,) = faults(tmp_path, {"billing": {"steps": steps}})
    assert said == (
        "dialplan/queues.yaml:6:7: no agent in agents.yaml can ever meet `billing >= 9 & mandarin & !english` (step 2)"
        "; 8001 李雷 comes nearest, without `billing>=9` (has 8); give one the skill or ask for less"
    )


def test_agents_who_take_no_calls_serve_no_queue_of_calls(tmp_path: Path) -> None:
    agents = {"8001": {"name": "李雷", "skills": {"sales": 8}, "takes": {"voice": 0}}, "8002": {"name": "韩梅梅"}}
    assert faults(tmp_path, {"mail": {"require": "sales", "kind": "email"}}, agents=agents) == []
    (said,) = faults(tmp_path, {"sales": {"require": "sales"}}, agents=agents)
    assert "8002 韩梅梅 comes nearest, without `sales`" in said


def test_whoever_may_join_a_queue_can_meet_what_its_members_meet(tmp_path: Path) -> None:
    assert faults(tmp_path, {"desk": {}, "vip": {"require": "queue:desk & sales"}}) == []
    (said,) = faults(tmp_path, {"desk": {}, "vip": {"require": "queue:desk & sales >= 9"}})
    assert "8003 王芳 comes nearest, without `sales>=9` (has 4)" in said
