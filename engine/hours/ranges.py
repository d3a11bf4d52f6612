"""Hours of a day, and the days they are of, as an admin writes them: `mon-fri: 9:00-12:00, 13:00-18:00`."""

from __future__ import annotations

import itertools
import re
from typing import Any, NamedTuple

MIDNIGHT = 24 * 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY = "holiday"
MAKE_UP = "make_up"
HOW = "write 9:00-18:00, or several as 9:00-12:00, 13:00-18:00, or 24h, or closed"

_RANGE = re.compile(r"(\d{1,2}):(\d\d)\s*[-–]\s*(\d{1,2}):(\d\d)")


class Range(NamedTuple):
    """Minutes from the midnight that the day begins with; `end` is beyond 1440 where the next morning is meant."""

    start: int
    end: int


def ranges(value: Any) -> tuple[Range, ...]:
    """The hours of one day in their order. Raises ValueError."""
    parts = [str(part).strip() for part in (value if isinstance(value, list | tuple) else str(value).split(","))]
    if parts == ["24h"]:
        return (Range(0, MIDNIGHT),)
    if parts == ["closed"]:
        return ()
    found = sorted(_range(part) for part in parts)
    for earlier, later in itertools.pairwise(found):
        if later.start < earlier.end:
            raise ValueError(f"{_said(earlier)} and {_said(later)} overlap")
    return tuple(found)


def _range(text: str) -> Range:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} are no hours; {HOW}")
    start, end = (_minute(hour, minute, text) for hour, minute in (match.group(1, 2), match.group(3, 4)))
    if start in (end, MIDNIGHT):
        raise ValueError(f"{text!r} is no time at all; {HOW}")
    return Range(start, end if end > start else end + MIDNIGHT)


def _minute(hour: str, minute: str, text: str) -> int:
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > MIDNIGHT:
        raise ValueError(f"{text!r} names no time of the day; the last one is 24:00")
    return total


def _said(hours: Range) -> str:
    return "-".join(f"{minute // 60 % 24}:{minute % 60:02d}" for minute in hours)


def days(text: Any) -> frozenset[str]:
    """`mon-fri`, `sat, sun`, `daily`, `holiday` or `make_up` as single days. Raises ValueError."""
    found: set[str] = set()
    for part in str(text).lower().split(","):
        found |= _days(part.strip())
    return frozenset(found)


def _days(text: str) -> set[str]:
    if text == "daily":
        return set(WEEKDAYS)
    if text in (HOLIDAY, MAKE_UP):
        return {text}
    first, dash, last = (part.strip() for part in text.partition("-"))
    if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
        known = ", ".join(WEEKDAYS)
        raise ValueError(f"{text!r} is no day; days are {known}, mon-fri, daily, {HOLIDAY}, {MAKE_UP}")
    start = WEEKDAYS.index(first)
    length = (WEEKDAYS.index(last) - start) % 7 + 1 if dash else 1
    return {WEEKDAYS[(start + day) % 7] for day in range(length)}
