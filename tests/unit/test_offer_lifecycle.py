from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.acd.offer import (
    TRANSITIONS,
    TREATMENTS,
    IllegalTransition,
    Missed,
    OfferEvent,
    OfferState,
    step,
)

ENDS = {OfferState.MISSED, OfferState.CANCELLED, OfferState.CLOSED}


@given(st.lists(st.sampled_from(OfferEvent), max_size=12))
def test_whatever_happens_an_offer_ends_once_and_stays_ended(events: list[OfferEvent]) -> None:
    state, path = OfferState.OFFERED, [OfferState.OFFERED]
    for event in events:
        if (state, event) not in TRANSITIONS:
            with pytest.raises(IllegalTransition, match=f"{state} cannot {event}"):
                step(state, event)
            continue
        state = step(state, event)
        path.append(state)
    assert sum(reached in ENDS for reached in path) <= 1
    assert not ENDS.intersection(path[:-1])
    if OfferState.CLOSED in path:
        assert OfferState.ACCEPTED in path
    if OfferState.ACCEPTED in path:
        assert OfferState.CANCELLED not in path, "a conversation is left, never cancelled"
        assert OfferState.RINGING not in path[path.index(OfferState.ACCEPTED) :]


def test_every_state_before_the_end_can_end() -> None:
    for state in set(OfferState) - ENDS:
        assert any(TRANSITIONS.get((state, event)) in ENDS for event in OfferEvent)


def test_every_missed_offer_keeps_the_least_gap_before_the_same_agent() -> None:
    assert set(TREATMENTS) == set(Missed)
    assert all(treatment.exclude_s >= 5 for treatment in TREATMENTS.values())
