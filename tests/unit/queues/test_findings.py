"""What `hotline check` finds in queues that can be read: rules that cannot be kept, or never come to bear."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.queues.writing import AGENTS, findings

Check = Callable[..., list[str]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """The findings about a site with these queues."""
    return lambda queues, **others: findings(tmp_path, queues, **others)


def billing(**others: Any) -> dict[str, Any]:
    return {"billing": {"require": "billing", **others}}


def test_a_queue_that_uses_everything_well_has_no_findings(check: Check) -> None:
    queue = {
        "steps": [
            {"require": "billing >= 8", "prefer": ["mandarin >= 8"]},
            {"after": "20s", "require": "billing >= 5"},
        ],
        "strategy": "most_proficient",
        "ring_at_once": "all",
        "strict": 3,
        "served_within": "5m",
        "capacity": 50,
        "hours": "office",
        "closing": "eject",
        "last_agent": "30s",
        "owner": "0s",
        "place_kept": "2m",
        "announce": {"wait": True},
        "keys": {"1": "callback", "0": "leave"},
    }
    when = {"full": "sorry", "closed": "sorry", "no_agents": "sorry", "callback": "call", "leave": "sorry"}
    call = {"callback": "billing", "then": "sorry"}
    steps = {"a": {"queue": "billing", "when": when}, "call": call, "sorry": {"play": ["goodbye"]}}
    assert check({"billing": queue}, steps=steps) == []


def test_a_later_step_that_adds_nobody_is_told(check: Check) -> None:
    steps = [{"require": "billing >= 5"}, {"after": "20s", "require": "billing >= 4"}]
    (said,) = check({"billing": {"steps": steps}})
    assert said.startswith("dialplan/queues.yaml:6:7: warning: step 2 adds nobody to those before it")


def test_a_step_that_prefers_others_need_not_add_anybody(check: Check) -> None:
    steps = [{"require": "billing"}, {"after": "20s", "require": "billing", "prefer": ["english"]}]
    assert check({"billing": {"steps": steps}}) == []


def test_a_step_for_those_who_join_is_fine_though_nobody_has(check: Check) -> None:
    steps = [{"require": "billing"}, {"after": "20s", "require": "billing >= 8 | queue:billing"}]
    assert check({"billing": {"steps": steps}}) == []


def test_a_step_behind_the_longest_wait_is_told(check: Check) -> None:
    steps = [{"require": "billing >= 8"}, {"after": "10m", "require": "any"}]
    (said,) = check({"billing": {"steps": steps}})
    assert "5:7: warning: nobody waits so long: `max_wait` is 600 s" in said


def test_a_hard_maximum_behind_the_longest_wait_is_told(check: Check) -> None:
    (said,) = check(billing(served_within="10m"))
    assert "4:5: warning: can never matter: callers leave after `max_wait`, 600 s" in said


def test_a_preference_for_nobody_is_told(check: Check) -> None:
    (said,) = check(billing(prefer=["french"]))
    assert "5:7: warning: prefers nobody: no agent in agents.yaml can ever meet `french`" in said


def test_a_queue_that_somebody_must_join_first_is_told(check: Check) -> None:
    (said,) = check({"desk": {}})
    assert "warning: nobody meets `queue:desk` until they join a queue" in said
    assert check({"desk": {}}, agents=AGENTS | {"8004": {"name": "孙悟空", "queues": ["desk"]}}) == []


def test_a_strict_queue_whose_agents_others_need_is_told_with_the_remedy(check: Check) -> None:
    queues = {**billing(), "vip": {"require": "billing >= 8", "strict": 1}, "sales": {"require": "sales"}}
    (said,) = check(queues)
    assert "dialplan/queues.yaml:6:5: warning: while anybody waits here, these agents serve nobody of `billing`" in said
    assert "a `served_within` there is the longest that it may last" in said
    queues["billing"]["served_within"] = "5m"
    assert check(queues) == []


# The steps that lead to queues.


END: dict[str, Any] = {"end": {"play": ["goodbye"]}}


def test_a_key_that_leads_nowhere_is_an_error(check: Check) -> None:
    steps = {"a": {"queue": "billing", "then": "end"}, **END}
    (said,) = check(billing(keys={"1": "callback"}), steps=steps)
    assert said.startswith("dialplan/flows/main.yaml:3:5: error: 1 while waiting in `billing` leads nowhere: write")
    steps["a"]["when"] = {"callback": "end"}
    assert check(billing(keys={"1": "callback"}), steps=steps) == []


def test_a_key_of_a_tiers_queue_leads_somewhere_too(check: Check) -> None:
    queues = {**billing(), "vip": {"require": "billing", "keys": {"0": "leave"}}}
    (said,) = check(queues, steps={"a": {"queue": "billing", "for_tier": {"VIP": "vip"}}})
    assert "error: 0 while waiting in `vip` leads nowhere" in said


@pytest.mark.parametrize(
    ("outcome", "what"),
    [
        ("full", "`full` is never taken: there is no `capacity` in `billing`"),
        ("closed", "no `hours`"),
        ("voicemail", "no key for `voicemail`"),
    ],
)
def test_a_branch_that_is_never_taken_is_told(check: Check, outcome: str, what: str) -> None:
    (said,) = check(billing(), steps={"a": {"queue": "billing", "when": {outcome: "end"}}, **END})
    assert said.startswith("dialplan/flows/main.yaml:5:7: warning: ")
    assert what in said


def test_a_step_that_asks_for_a_queue_or_an_agent_that_there_is_not_is_an_error(check: Check) -> None:
    steps = {"a": {"queue": "billing", "require": "queue:bill | agent:8009 | billing"}}
    first, second = check(billing(), steps=steps)
    assert "error: `agent:8009`: no such agent in dialplan/agents.yaml (did you mean" in first
    assert "error: `queue:bill`: no such queue (did you mean `billing`?)" in second


# Queues that lead to each other.


def overflowing(**when: str) -> dict[str, Any]:
    return {
        "a": {"queue": "billing", "when": when or {"timed_out": "b"}},
        "b": {"queue": "sales", "when": dict.fromkeys(when or {"timed_out": ""}, "a")},
    }


def two_queues(**settings: Any) -> dict[str, Any]:
    return {**billing(**settings), "sales": {"require": "sales", **settings}}


def test_queues_that_overflow_into_each_other_are_fine_as_callers_wait_in_them(check: Check) -> None:
    assert check(two_queues(), steps=overflowing()) == []


@pytest.mark.parametrize(
    ("settings", "when"),
    [
        ({"capacity": 5}, {"full": "b"}),
        ({"capacity": 5}, {"timed_out": "b"}),
        ({"hours": "office"}, {"closed": "b"}),
        ({}, {"no_agents": "b"}),
    ],
)
def test_queues_that_refuse_a_caller_to_each_other_are_an_error(
    check: Check, settings: dict[str, Any], when: dict[str, str]
) -> None:
    steps = overflowing(**when) | {"end": {"hangup": "timed_out"}}
    (said,) = [finding for finding in check(two_queues(**settings), steps=steps) if "error" in finding]
    assert "error: the call goes round here without asking the caller anything" in said
    assert "(main/a → main/b → main/a)" in said


def test_a_queue_that_is_full_and_one_that_is_not_are_fine(check: Check) -> None:
    queues = {**billing(capacity=5), "sales": {"require": "sales"}}
    assert check(queues, steps=overflowing(timed_out="b")) == []
