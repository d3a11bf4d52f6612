"""A listener who knows the language understands the very value, and what is no value is refused."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.speech import LANGUAGES, Kind, prompts_for, vocabulary
from tests.unit.speech import heard
from tests.unit.speech.heard import said

# Small numbers and those full of zeros are where grammar is.
WHOLES = st.one_of(
    st.integers(0, 10**12 - 1),
    st.integers(0, 200),
    st.lists(st.sampled_from("0001259"), min_size=1, max_size=12).map(lambda digits: int("".join(digits))),
)
DECIMALS = st.text("0123456789", max_size=6)
SIGNS = st.sampled_from(["", "-"])


def without_minus_zero(sign: str, number: str) -> str:
    return f"{sign}{number}" if number.strip("0.") else number


@given(SIGNS, WHOLES, DECIMALS)
def test_a_number_is_understood(sign: str, whole: int, decimals: str) -> None:
    number = f"{whole}.{decimals}" if decimals else f"{whole}"
    expected = without_minus_zero(sign, number)
    assert heard.mandarin_number(said(Kind.NUMBER, sign + number, "zh-CN")) == expected
    assert heard.english_number(said(Kind.NUMBER, sign + number, "en")) == expected
    with_commas = f"{sign}{whole:,}" + (f".{decimals}" if decimals else "")
    for language in LANGUAGES:
        assert prompts_for(Kind.NUMBER, with_commas, language) == prompts_for(Kind.NUMBER, sign + number, language)


@given(SIGNS, WHOLES, st.text("0123456789", max_size=2))
def test_an_amount_of_money_is_understood(sign: str, yuan: int, decimals: str) -> None:
    amount = f"{yuan}.{decimals}" if decimals else f"{yuan}"
    expected = without_minus_zero(sign, f"{yuan}.{decimals.ljust(2, '0')}")
    assert heard.mandarin_money(said(Kind.MONEY, sign + amount, "zh-CN")) == expected
    assert heard.english_money(said(Kind.MONEY, sign + amount, "en")) == expected


@given(st.dates(date(1000, 1, 1)))
def test_a_date_is_understood(day: date) -> None:
    assert heard.mandarin_date(said(Kind.DATE, day.isoformat(), "zh-CN")) == day.isoformat()
    assert heard.english_date(said(Kind.DATE, day.isoformat(), "en")) == day.isoformat()


def test_every_minute_of_the_day_is_understood() -> None:
    for value in (f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60)):
        assert heard.mandarin_time(said(Kind.TIME, value, "zh-CN")) == value
        assert heard.english_time(said(Kind.TIME, value, "en")) == value


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [Kind.PHONE, Kind.DIGITS])
@given(digits=st.text("0123456789", min_size=3, max_size=15))
def test_no_digit_is_lost_whatever_the_groups(kind: Kind, language: str, digits: str) -> None:
    plain = digits if not digits.startswith("0086") or kind is Kind.DIGITS else "1" + digits[1:]
    assert heard.keys(said(kind, plain, language)) == plain
    groups = [group.strip() for group in said(kind, plain, "zh-CN").split(" ")]
    assert all(1 <= len(group) <= 5 for group in groups)


@pytest.mark.parametrize("language", LANGUAGES)
@given(kind=st.sampled_from(Kind), value=st.text(max_size=40))
def test_any_text_is_said_in_recorded_words_or_refused(language: str, kind: Kind, value: str) -> None:
    try:
        prompts = prompts_for(kind, value, language)
    except ValueError as refused:
        assert str(refused)
    else:
        assert prompts
        assert set(prompts) <= vocabulary(language)
        assert len(prompts) <= 50


@pytest.mark.parametrize(
    ("kind", "value", "complaint"),
    [
        (Kind.NUMBER, "", "write it as"),
        (Kind.NUMBER, "abc", "write it as"),
        (Kind.NUMBER, "+5", "write it as"),
        (Kind.NUMBER, "007", "write it as"),
        (Kind.NUMBER, "1,23", "write it as"),
        (Kind.NUMBER, "1234,567", "write it as"),
        (Kind.NUMBER, "1e5", "write it as"),
        (Kind.NUMBER, "5.", "write it as"),
        (Kind.NUMBER, ".5", "write it as"),
        (Kind.NUMBER, " 5", "write it as"),
        (Kind.NUMBER, "5\n", "write it as"),
        (Kind.NUMBER, "1٣", "write it as"),
        (Kind.NUMBER, "--5", "write it as"),
        (Kind.NUMBER, "1000000000000", "too large"),
        (Kind.NUMBER, "1" * 5000, "too large"),
        (Kind.NUMBER, "0.1234567", "more than 6 decimals"),
        (Kind.MONEY, "0.125", "more than 2 decimals"),
        (Kind.MONEY, "¥5", "write it as"),
        (Kind.DATE, "2026-1-1", "write it as"),
        (Kind.DATE, "20261001", "write it as"),
        (Kind.DATE, "2026-02-29", "not a day"),
        (Kind.DATE, "2026-13-01", "not a day"),
        (Kind.DATE, "0999-01-01", "begin at 1000"),
        (Kind.WEEKDAY, "Monday", "write it as"),
        (Kind.TIME, "24:00", "write it as"),
        (Kind.TIME, "3:05", "write it as"),
        (Kind.TIME, "03:60", "write it as"),
        (Kind.TIME, "03:05:00", "write it as"),
        (Kind.PHONE, "", "write it as"),
        (Kind.PHONE, "12", "write it as"),
        (Kind.PHONE, "1234567890123456", "write it as"),
        (Kind.PHONE, "sip:8001", "write it as"),
        (Kind.PHONE, "138+001", "write it as"),
        (Kind.DIGITS, "", "are said"),
        (Kind.DIGITS, "12a", "are said"),
        (Kind.DIGITS, "1" * 31, "at most"),
    ],
)
def test_what_is_no_value_of_its_kind_is_refused_with_what_to_write(kind: Kind, value: str, complaint: str) -> None:
    for language in LANGUAGES:
        with pytest.raises(ValueError, match=complaint):
            prompts_for(kind, value, language)


@pytest.mark.parametrize("kind", [Kind.PHONE, Kind.DIGITS])
def test_a_refusal_does_not_repeat_digits_that_may_be_a_secret(kind: Kind) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:
        prompts_for(kind, "11010519491231002x", "en")
    assert "110105" not in str(refused.value)


def test_a_language_without_speech_is_refused_by_name() -> None:
    for ask in (lambda: prompts_for(Kind.NUMBER, "1", "fr"), lambda: vocabulary("fr")):
        with pytest.raises(ValueError, match="'fr'; zh-CN and en are"):
            ask()
