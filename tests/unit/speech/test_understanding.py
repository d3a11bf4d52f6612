"""A recogniser is not blamed for the way it writes numbers down. (Mandarin needs pypinyin, which tests do without.)"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sounds.understanding import errors, score, units
from engine.speech import Kind
from tests.unit.speech.heard import said


@pytest.mark.parametrize(
    ("words", "heard"),
    [
        ("one thousand two hundred and five", "1,205"),
        ("one thousand two hundred five", "1205."),
        ("three oh five in the morning", "3:05 in the morning."),
        ("October first twenty twenty-six", "October 1st, 2026"),
        ("nineteen hundred", "1900"),
        ("nineteen oh five", "1905"),
        ("the twenty-first", "the 21st"),
        ("twelve point five", "12.5"),
        ("one three eight, zero zero one three", "138-0013"),
        ("press two", "Press to"),
        ("ten forty-nine in the morning", "10.49 in the morning"),
        ("February eighteenth", "February 18"),
        ("one two three, four five", "123,45"),
    ],
)
def test_any_spelling_of_a_number_is_understood(words: str, heard: str) -> None:
    assert score(words, heard, "en")[0] == 0


@given(kind=st.sampled_from([Kind.NUMBER, Kind.DIGITS]), value=st.integers(0, 10**9))
def test_whatever_value_is_said_its_figures_are_understood(kind: Kind, value: int) -> None:
    assert score(said(kind, str(value), "en"), str(value), "en")[0] == 0


def test_what_was_misheard_is_counted_where_it_was() -> None:
    wanted = units("for sales press one", "en")
    assert errors(wanted, "For sails, press 1.", "en") == [0, 1, 0, 0]
    assert errors(wanted, "sales press one", "en") == [1, 0, 0, 0]
    assert errors(wanted, "for sales please press one", "en") == [0, 1, 0, 0]
    assert errors(wanted, "", "en") == [1, 1, 1, 1]
    assert score("for sales press one", "for sales press nine", "en") == (1, 4)
