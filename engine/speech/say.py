"""From a kind, a value as text and a language to the prompts that say it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from engine.speech import english, mandarin, values
from engine.speech.values import Amount


class Kind(StrEnum):
    """What a text is read as."""

    DIGITS = "digits"
    """Key by key, as a member's number or what the caller has typed: digits, `*` and `#`."""
    NUMBER = "number"
    """`1,234.50`, `-7`: below 10^12, up to six decimals."""
    MONEY = "money"
    """Yuan: `88`, `1,234.5`, `-0.06`."""
    DATE = "date"
    """`2026-10-01`: year, month and day."""
    WEEKDAY = "weekday"
    """The day of the week of `2026-10-01`."""
    TIME = "time"
    """`03:05`, on a clock of 24 hours."""
    PHONE = "phone"
    """A telephone number, national or with `+`, in the groups that people say it in."""


def prompts_for(kind: Kind, value: str, language: str) -> list[str]:
    """The prompts that say `value`, one after the other.

    Raises ValueError, in a sentence fit for a log, for a text that is not of its kind and for a language without
    speech. The sentence does not repeat digits and phone numbers: they may be a member's.
    """
    try:
        speak = _SPEAKERS[language][kind]
    except KeyError:
        raise ValueError(f"nothing is said in {language!r}; {' and '.join(LANGUAGES)} are") from None
    return speak(value)


def vocabulary(language: str) -> frozenset[str]:
    """Every prompt that values are said with in `language`: what must be recorded for `say`. Raises ValueError."""
    if language not in LANGUAGES:
        raise ValueError(f"nothing is said in {language!r}; {' and '.join(LANGUAGES)} are")
    return frozenset(mandarin.VOCABULARY if language == "zh-CN" else english.VOCABULARY)


def _number(speak: Callable[[Amount], list[str]]) -> Callable[[str], list[str]]:
    return lambda text: speak(values.amount(text, most_decimals=6))


def _money(speak: Callable[[Amount], list[str]]) -> Callable[[str], list[str]]:
    return lambda text: speak(values.amount(text, most_decimals=2))


def _digits(text: str) -> list[str]:
    return _in_groups(values.digits(text))


def _phone(text: str) -> list[str]:
    return _in_groups(values.phone(text))


def _in_groups(groups: list[str]) -> list[str]:
    """A short pause between groups. Recorded as `digit-N`, because Mandarin says 幺 for 1 here and 一 in numbers."""
    said: list[str] = []
    for group in groups:
        said += ["silence-short"] if said else []
        said += [values.KEYS[key] for key in group]
    return said


_SPEAKERS: dict[str, dict[Kind, Callable[[str], list[str]]]] = {
    "zh-CN": {
        Kind.DIGITS: _digits,
        Kind.NUMBER: _number(mandarin.number),
        Kind.MONEY: _money(mandarin.money),
        Kind.DATE: lambda text: mandarin.date(values.day(text)),
        Kind.WEEKDAY: lambda text: [f"weekday-{values.day(text).isoweekday()}"],
        Kind.TIME: lambda text: mandarin.time(*values.clock(text)),
        Kind.PHONE: _phone,
    },
    "en": {
        Kind.DIGITS: _digits,
        Kind.NUMBER: _number(english.number),
        Kind.MONEY: _money(english.money),
        Kind.DATE: lambda text: english.date(values.day(text)),
        Kind.WEEKDAY: lambda text: [f"weekday-{values.day(text).isoweekday()}"],
        Kind.TIME: lambda text: english.time(*values.clock(text)),
        Kind.PHONE: _phone,
    },
}
LANGUAGES = tuple(_SPEAKERS)
