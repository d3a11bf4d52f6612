"""The `number` step: where to, and the way back. Whether it may be dialled is tests/unit/call/test_outside_*.py."""

from __future__ import annotations

import orjson
import pytest
from pydantic import ValidationError

from engine.flow.steps import Ended, read_step
from engine.flow.steps.base import ToNumber, read_departure
from tests.unit.flow.scripted import walk

STEP = {
    "number": "+862188881234",
    "trunk": "demo-carrier",
    "ring": "25s",
    "when": {"busy": "leave", "served": "survey"},
    "then": "operator",
}


async def test_the_caller_leaves_for_the_number_and_nothing_is_answered_for_it() -> None:
    walked = await walk([], {"call": {**STEP, "when": {}, "then": "call"}})
    assert walked.end == ToNumber(number="+862188881234", trunk="demo-carrier", ring_s=25.0, then="call")
    assert not walked.leg.up


async def test_the_number_may_come_from_the_call() -> None:
    walked = await walk([], {"call": {"number": "{mobile}"}}, mobile="13912345678")
    assert isinstance(walked.end, ToNumber)
    assert walked.end.number == "13912345678"


async def test_a_number_that_the_call_does_not_have_is_refused() -> None:
    walked = await walk(
        [], {"call": {"number": "{1 + mobile}", "when": {"refused": "no"}}, "no": {"hangup": "rejected"}}, mobile="x"
    )
    assert walked.entered == ["main/call", "main/no"]
    assert isinstance(walked.end, Ended)


def test_every_way_back_survives_in_the_calls_record() -> None:
    branches = {"busy": "leave", "served": "survey"}
    away = ToNumber(number="+862188881234", extension="802", ring_s=25.0, branches=branches, then="operator")
    assert (again := read_departure(orjson.loads(orjson.dumps(away)))) == away
    assert [again.back(outcome).step for outcome in ("busy", "served", "no_answer", "refused")] == [
        "leave",
        "survey",
        "operator",
        "operator",
    ]


def test_an_outcome_that_there_is_not_is_a_fault() -> None:
    with pytest.raises(ValidationError, match="busy, no_answer, unreachable, refused, served"):
        read_step({**STEP, "when": {"engaged": "leave"}})


@pytest.mark.parametrize("ring", ["0s", "10m"])
def test_nobody_is_rung_for_no_time_or_for_ever(ring: str) -> None:
    with pytest.raises(ValidationError):
        read_step({"number": "+862188881234", "ring": ring})
