"""The way of a call through its flows."""

from __future__ import annotations

from typing import Any

import pytest

from engine.flow import runner
from engine.flow.runner import FlowLoops
from engine.flow.steps import Ended, ToQueue
from engine.identity.contract import Outcome
from engine.identity.endpoint import Answer
from tests.unit.flow.scripted import Answers, walk
from tests.unit.nobody import services_of


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_each_answer_of_the_identity_endpoint_has_its_branch(outcome: Outcome) -> None:
    steps = {
        "who": {"lookup": "caller", "when": {o.value: f"on-{o.value}" for o in Outcome}, "then": "otherwise"},
        **{f"on-{o.value}": {"queue": o.value} for o in Outcome},
        "otherwise": {"hangup": "rejected"},
    }
    walked = await walk([], steps, services=services_of(identity=Answers(Answer(outcome))))
    assert walked.end == ToQueue(queue=outcome.value)


async def test_an_answer_without_a_branch_takes_the_default() -> None:
    steps = {"who": {"lookup": "caller", "when": {"rejected": "end"}, "then": "end"}, "end": {"hangup": "rejected"}}
    walked = await walk([], steps, services=services_of(identity=Answers(Answer(Outcome.TIMEOUT))))
    assert walked.end == Ended("rejected")


async def test_the_end_of_the_file_is_the_end_of_the_call() -> None:
    assert (await walk([], {"bye": {"play": ["goodbye"]}})).end == Ended("flow_hangup")


async def test_a_flow_that_goes_round_for_ever_is_ended() -> None:
    a = {"a": {"play": ["goodbye"], "then": "b"}, "b": {"play": ["goodbye"], "then": "a"}}
    with pytest.raises(FlowLoops):
        await walk([], a)


async def test_flows_that_call_each_other_for_ever_are_ended() -> None:
    with pytest.raises(FlowLoops, match="deep"):
        await walk([], {"a": {"call": "other"}}, others={"other": {"b": {"call": "main"}}})


async def test_a_called_flow_comes_back_to_the_step_below_the_call() -> None:
    called = {"x": {"set": {"seen": 1}}, "y": {"if": "seen == 1", "then": "z", "else": "z"}, "z": {"play": ["goodbye"]}}
    steps = {"a": {"call": "other"}, "b": {"play": ["welcome"]}}
    walked = await walk([], steps, others={"other": called})
    assert walked.entered == ["main/a", "other/x", "other/y", "other/z", "main/b"]
    assert walked.leg.heard == ["goodbye", "welcome"]


async def test_a_call_with_then_comes_back_there() -> None:
    steps = {"a": {"call": "other", "then": "c"}, "b": {"hangup": "rejected"}, "c": {"hangup": "timed_out"}}
    assert (await walk([], steps, others={"other": {"x": {"play": ["goodbye"]}}})).end == Ended("timed_out")


async def test_goto_does_not_come_back() -> None:
    steps = {"a": {"goto": "other"}, "b": {"hangup": "rejected"}}
    assert (await walk([], steps, others={"other": {"x": {"play": ["goodbye"]}}})).end == Ended("flow_hangup")


async def test_a_branch_may_lead_into_another_flow() -> None:
    steps = {"a": {"play": ["welcome"], "when": {"finished": "other/y"}}}
    others: dict[str, Any] = {"other": {"x": {"hangup": "rejected"}, "y": {"hangup": "timed_out"}}}
    assert (await walk([], steps, others=others)).end == Ended("timed_out")


async def test_a_call_is_not_answered_before_the_first_step_that_needs_a_telephone() -> None:
    steps: dict[str, Any] = {"who": {"lookup": "caller"}, "no": {"hangup": "rejected", "cause": "rejected"}}
    walked = await walk([], steps)
    assert walked.end == Ended("rejected", 21)
    assert not walked.leg.up
    assert (await walk([], {"a": {"play": ["goodbye"]}})).leg.up


def test_the_limits_are_beyond_what_a_patient_caller_does() -> None:
    assert runner.MOST_VISITS >= 200
    assert runner.DEEPEST >= 8
