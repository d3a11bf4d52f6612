"""What each SIP status of an agent's leg means (RESEARCH of the field, appendix B)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.acd import Missed
from engine.asterisk.channel import LegEnd
from engine.call.missed import ALARMING, DO_NOT_DISTURB_MS, why_missed, why_refused

RANG_MS = DO_NOT_DISTURB_MS + 1000


@pytest.mark.parametrize(
    ("status", "cause", "why"),
    [
        (302, 23, Missed.DND),  # never followed
        (401, 21, Missed.REJECTED),
        (403, 21, Missed.REJECTED),
        (404, 1, Missed.WRONG_NUMBER),
        (407, 21, Missed.REJECTED),
        (408, 18, Missed.UNREACHABLE),
        (480, 19, Missed.NO_ANSWER),
        (485, 1, Missed.WRONG_NUMBER),
        (486, 17, Missed.BUSY),
        (488, 58, Missed.FAILED),
        (500, 38, Missed.FAILED),
        (502, 27, Missed.FAILED),
        (503, 34, Missed.FAILED),
        (504, 102, Missed.FAILED),
        (600, 17, Missed.BUSY),
        (603, 21, Missed.REJECTED),
        (604, 1, Missed.WRONG_NUMBER),
        (606, 58, Missed.FAILED),
    ],
)
def test_the_status_of_a_phone_that_rang(status: int, cause: int, why: Missed) -> None:
    assert why_missed(LegEnd(cause, status), RANG_MS) is why
    assert why_missed(LegEnd(16, status), RANG_MS) is why, "the cause decides where the status is told"


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        (1, Missed.WRONG_NUMBER),
        (17, Missed.BUSY),
        (18, Missed.UNREACHABLE),
        (19, Missed.NO_ANSWER),
        (20, Missed.UNREACHABLE),
        (21, Missed.REJECTED),
        (23, Missed.DND),
        (34, Missed.FAILED),
        (58, Missed.FAILED),
        (0, Missed.DND),  # forwarded, and taken down before Asterisk had noted that
    ],
)
def test_the_cause_where_asterisk_does_not_tell_the_status(cause: int, why: Missed) -> None:
    assert why_missed(LegEnd(cause), RANG_MS) is why


@pytest.mark.parametrize("status", [486, 600])
def test_an_idle_phone_that_is_busy_at_once_does_not_want_to_be_disturbed(status: int) -> None:
    assert why_missed(LegEnd(17, status), 40, undisturbed=True) is Missed.DND
    assert why_missed(LegEnd(21, 603), 40, undisturbed=True) is Missed.REJECTED


def test_temporarily_unavailable_is_do_not_disturb_at_once_and_no_answer_later() -> None:
    assert why_missed(LegEnd(19, 480), DO_NOT_DISTURB_MS - 1) is Missed.DND
    assert why_missed(LegEnd(19, 480), DO_NOT_DISTURB_MS) is Missed.NO_ANSWER


@pytest.mark.parametrize(("status", "cause"), [(408, 18), (480, 19), (None, 18), (None, 20)])
def test_behind_a_carrier_a_phone_that_is_switched_off_is_one_that_nobody_answers(
    status: int | None, cause: int
) -> None:
    assert why_missed(LegEnd(cause, status), 40, outside=True) is Missed.NO_ANSWER


def test_a_leg_that_went_down_with_asterisk_is_nobodys_fault() -> None:
    assert why_missed(LegEnd(17, 486, lost=True), RANG_MS) is Missed.FAILED


@pytest.mark.parametrize(("refusal", "why"), [(500, Missed.UNREACHABLE), (400, Missed.FAILED), (503, Missed.FAILED)])
def test_asterisks_refusal_to_dial(refusal: int, why: Missed) -> None:
    assert why_refused(refusal) is why


def test_what_no_person_says_is_an_alarm() -> None:
    assert set(ALARMING) == {401, 403, 404, 407, 485, 488, 604, 606}


@given(st.integers(0, 127), st.none() | st.integers(300, 699), st.integers(0, 60_000), st.booleans(), st.booleans())
def test_no_end_of_a_leg_is_left_unexplained(
    cause: int, status: int | None, ring_ms: int, undisturbed: bool, outside: bool
) -> None:
    why = why_missed(LegEnd(cause, status), ring_ms, undisturbed=undisturbed, outside=outside)
    assert why not in (Missed.DUMPED, Missed.LEASE, Missed.UNCONFIRMED), "the leg's end does not say that"
    if outside:
        assert why is not Missed.UNREACHABLE, "no event would ever say that an outside phone is back"
