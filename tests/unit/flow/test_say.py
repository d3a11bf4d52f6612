"""A value said to the caller, and one that cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from engine.flow.steps import Ended, read_step
from tests.unit.flow.scripted import Walked, walk

ENDS: dict[str, Any] = {"next": {"hangup": "timed_out"}, "person": {"hangup": "rejected"}}


async def said(say: Any, **variables: Any) -> Walked:
    step = {"say": say, "when": {"unspeakable": "person"}, "then": "next"}
    return await walk([], {"say": step, **ENDS}, **variables)


async def test_a_balance_is_said_in_the_callers_language() -> None:
    walked = await said({"money": "{balance}"}, balance="1234.05")
    assert walked.end == Ended("timed_out")
    assert walked.leg.heard == ["number-1", "thousand", "number-2", "hundred", "and", "number-34", "yuan", "and",
                                "number-5", "fen"]  # fmt: skip

    steps = {"mandarin": {"set": {"language": "'zh-CN'"}}, "say": {"say": {"money": "{balance}"}}}
    walked = await walk([], steps, balance="1234.05")
    assert walked.leg.heard == ["thousand-1", "hundred-2", "number-34", "yuan", "number-0", "number-5", "fen"]


async def test_a_number_that_an_endpoint_gave_as_a_number_is_said_as_well_as_text() -> None:
    assert (await said({"number": "{points}"}, points=7)).leg.heard == ["number-7"]
    assert (await said({"money": "{balance}"}, balance=7.0)).leg.heard == ["number-7", "yuan"]


async def test_prompts_and_values_are_heard_in_the_order_in_which_they_are_written() -> None:
    walked = await said(["your-order-is", {"digits": "{order}"}, {"date": "2026-10-01"}, "goodbye"], order="42")
    assert walked.leg.heard == ["your-order-is", "digit-4", "digit-2", "month-10", "day-1", "number-20", "number-26",
                                "goodbye"]  # fmt: skip


@pytest.mark.parametrize(
    ("say", "variables"),
    [
        ({"money": "{balance}"}, {"balance": "a lot"}),
        ({"money": "{balance}"}, {}),
        ({"date": "{due}"}, {"due": "2026-02-30"}),
        ({"number": "{balance / 0}"}, {"balance": "1"}),
    ],
)
async def test_what_cannot_be_said_is_noted_and_nothing_of_it_is_heard(say: Any, variables: dict[str, Any]) -> None:
    walked = await said(["your-balance-is", say], **variables)
    assert walked.end == Ended("rejected")
    assert walked.leg.heard == []
    outcomes = [str(payload["outcome"]) for kind, payload in walked.notes if kind == "ivr.node_exited"]
    assert outcomes[0].startswith("unspeakable: ")


async def test_what_cannot_be_said_goes_on_like_the_rest_where_no_branch_is_written_for_it() -> None:
    walked = await walk([], {"say": {"say": {"time": "{never_set}"}, "then": "next"}, **ENDS})
    assert walked.end == Ended("timed_out")


async def test_the_digits_of_what_cannot_be_said_are_not_noted() -> None:
    walked = await said({"phone": "{number}"}, number="139123456789999999")
    assert "139123456789" not in str(walked.notes)


@pytest.mark.parametrize(
    ("say", "complaint"),
    [
        ({"sum": "{balance}"}, "'money'"),
        ({}, "at least 1"),
        ({"money": "{balance}", "number": "{points}"}, "at most 1"),
        ([], "at least 1"),
        ({"date": "2026-02-30"}, "not a day of the calendar"),
        ({"time": "24:00"}, "write it as 03:05"),
        ({"money": "{balance +}"}, "is no expression"),
    ],
)
def test_a_say_that_can_never_be_said_is_a_fault_of_the_flow(say: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        read_step({"say": say})
