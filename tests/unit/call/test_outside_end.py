"""What the end of an unanswered leg says about the far end, and how many lines a trunk has."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asterisk.channel import LegEnd
from engine.call.outside import Unreached, why_unreached
from engine.call.outside_lines import OutsideLines
from engine.config.dialling import Way
from engine.flow.steps.number import Number


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (486, "busy"),
        (600, "busy"),
        (603, "busy"),
        (408, "no_answer"),
        (480, "no_answer"),
        (403, "refused"),
        (302, "unreachable"),
        (404, "unreachable"),
        (488, "unreachable"),
        (503, "unreachable"),
    ],
)
def test_the_sip_status_decides_whatever_cause_came_with_it(status: int, outcome: str) -> None:
    for cause in (0, 16, 17, 34):
        assert why_unreached(LegEnd(cause, status)) == outcome


@pytest.mark.parametrize(("cause", "outcome"), [(17, "busy"), (21, "busy"), (18, "no_answer"), (19, "no_answer")])
def test_without_a_status_the_cause_decides(cause: int, outcome: str) -> None:
    assert why_unreached(LegEnd(cause)) == outcome


@given(st.integers(0, 127), st.none() | st.integers(300, 699), st.booleans())
def test_every_end_is_an_outcome_of_the_step(cause: int, status: int | None, lost: bool) -> None:
    assert why_unreached(LegEnd(cause, status, lost)) in set(Unreached) <= set(Number.outcomes)


class Leg:
    """As much of a channel as a line counts: that it ends."""

    def __init__(self) -> None:
        self.gone: asyncio.Future[LegEnd] = asyncio.get_running_loop().create_future()


def way(trunk: str, most_calls: int) -> Way:
    return Way("+862188881234", trunk, "02188881234", "4008001234", most_calls)


async def test_a_line_is_taken_for_as_long_as_its_leg_lives() -> None:
    lines, ways = OutsideLines(), [way("a", 2), way("b", 1)]
    legs = []
    for trunk in ("a", "a", "b"):
        free = lines.free(ways)
        assert free is not None
        assert free.trunk == trunk
        legs.append(Leg())
        lines.hold(trunk, legs[-1])  # type: ignore[arg-type]
    assert lines.free(ways) is None
    legs[1].gone.set_result(LegEnd(16))
    await asyncio.sleep(0)
    assert lines.free(ways) == ways[0]


async def test_a_leg_that_ended_before_it_was_counted_takes_no_line() -> None:
    lines, leg = OutsideLines(), Leg()
    leg.gone.set_result(LegEnd(16))
    lines.hold("a", leg)  # type: ignore[arg-type]
    await asyncio.sleep(0)
    assert lines.free([way("a", 1)]) is not None
