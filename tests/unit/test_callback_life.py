"""A callback's life: what may follow what, against a reference written the other way round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.callbacks import CLOSED, TRANSITIONS, Callback, IllegalTransition, State, is_callback, item_of
from engine.callbacks.life import check

# Told as stories: every legal life is a walk through these.
LIVES = (
    "requested waiting dialling confirmed bridged done",
    "requested waiting dialling waiting",  # not reached: once more, after a gap
    "dialling confirmed waiting",  # confirmed, and no agent came
    "waiting requested",  # a reload has left it to people
    *(f"{before} done" for before in ("requested", "waiting", "dialling", "confirmed")),  # by hand
    *(
        f"{before} {after}"
        for before in ("requested", "waiting", "dialling", "confirmed")
        for after in ("failed", "merged", "cancelled")
    ),
)
STEPS = {pair for life in LIVES for pair in zip(life.split(), life.split()[1:], strict=False)}
ASKED_MS = 1_732_219_404_153


def asked() -> Callback:
    return Callback(
        id="c1-3c4d", call_id="c1", queue="sales", number="+8613800138000", asked_ms=ASKED_MS, placed_ms=ASKED_MS
    )


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {"done", "failed", "merged", "cancelled"} == CLOSED


@given(st.lists(st.sampled_from(State), max_size=20))
def test_a_callback_becomes_only_what_one_of_its_stories_says(wanted: list[State]) -> None:
    callback, tries = asked(), 0
    for now_ms, state in enumerate(wanted, ASKED_MS):
        if (callback.state.value, state.value) not in STEPS:
            with pytest.raises(IllegalTransition):
                callback.become(state, now_ms)
            continue
        callback = callback.become(state, now_ms, reason="why", by="8001")
        tries += state is State.DIALLING
        assert (callback.state, callback.attempts) == (state, tries)
        assert callback.is_closed == (state in CLOSED) == (callback.closed_ms == now_ms)
        assert (callback.closed_by == "8001") == callback.is_closed


@pytest.mark.parametrize("state", sorted(CLOSED))
def test_whoever_is_done_with_is_never_called_again(state: State) -> None:
    for after in State:
        with pytest.raises(IllegalTransition, match=f"a callback that is {state} cannot become {after}"):
            check(state, after)


def test_whoever_talks_cannot_be_called_at_the_same_time() -> None:
    assert TRANSITIONS[State.BRIDGED] == {State.DONE}


def test_the_acd_knows_one_item_of_a_number_and_a_queue_and_never_the_number() -> None:
    first, same = asked(), item_of("sales", "+8613800138000")
    assert first.item == same
    others = {
        item_of("service", "+8613800138000"),
        item_of("sales", "+8613800138001"),
        item_of("sales+", "8613800138000"),
    }
    assert same not in others
    assert len(others) == 3
    assert "13800138000" not in same
    assert is_callback(same)
    assert not is_callback("01kak3r9sdm4p7")
    assert len(same) <= 80
