"""A call's life: what may follow what, against a reference written the other way round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.call.phase import TRANSITIONS, IllegalTransition, Phase
from engine.call.record import CallRecord

# Told as stories: every legal life is a walk through these.
LIVES = (
    "flow ended",
    "flow waiting ended",
    "flow waiting flow",
    "waiting talking ended",
    "waiting talking waiting",
    "waiting talking flow",
    "flow dialling talking flow",
    "flow dialling flow",
    "flow dialling ended",
)
STEPS = {pair for life in LIVES for pair in zip(life.split(), life.split()[1:], strict=False)}


def test_every_phase_has_its_row() -> None:
    assert set(TRANSITIONS) == set(Phase)


@given(st.lists(st.sampled_from(Phase), max_size=12))
def test_a_call_goes_only_where_one_of_its_stories_leads(wanted: list[Phase]) -> None:
    record = CallRecord(id="c", channel="x", dialled="4008001234")
    for phase in wanted:
        before = record.phase
        if (before.value, phase.value) in STEPS:
            record.go(phase)
            assert record.phase is phase
        else:
            with pytest.raises(IllegalTransition):
                record.go(phase)
            assert record.phase is before


@given(st.lists(st.sampled_from(Phase), max_size=12))
def test_nothing_follows_the_end(wanted: list[Phase]) -> None:
    record = CallRecord(id="c", channel="x", dialled="4008001234", phase=Phase.ENDED)
    for phase in wanted:
        with pytest.raises(IllegalTransition):
            record.go(phase)
