"""What stands in dialplan/calendars.yaml."""

from __future__ import annotations

import itertools
import re
from datetime import date
from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PlainValidator,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from engine.config.source import nearest
from engine.config.units import Written
from engine.hours.holidays import of_country
from engine.hours.ranges import Range, days, ranges

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]

_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)(?:\s*\.\.\s*(\d{4}-\d\d-\d\d))?")


class Dates(NamedTuple):
    """From the first to the last day, both of them included."""

    first: date
    last: date


def dates(value: Any) -> Dates:
    """`2026-12-31` or `2026-02-15..2026-02-18`. Raises ValueError."""
    if isinstance(value, Dates):
        return value
    match = _SPAN.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"{str(value)!r} is no date; write 2026-12-31 or 2026-02-15..2026-02-18")
    first = date.fromisoformat(match[1])
    last = date.fromisoformat(match[2]) if match[2] else first
    if last < first:
        raise ValueError(f"{str(value)!r} ends before it begins")
    return Dates(first, last)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"no time zone {name!r}{nearest(name, available_timezones())}") from None
    return name


def _country(code: str) -> str:
    of_country(code)
    return code


def _plain(value: Any) -> Any:
    """`2026-12-31: closed` is short for `2026-12-31: {open: closed}`."""
    return value if isinstance(value, dict | OtherHours) else {"open": value}


def _as_written(exceptions: Any) -> Any:
    """YAML reads 2026-12-31 as a date; as text it is found again in the file."""
    return {str(key): value for key, value in exceptions.items()} if isinstance(exceptions, dict) else exceptions


Hours = Annotated[tuple[Range, ...], PlainValidator(ranges)]


class OtherHours(Written):
    """A day that is not as the week says."""

    open: Hours
    name: str = ""


class CalendarSettings(Written):
    """One calendar. `open` has the week's hours by day; a range past midnight belongs to the day it begins on."""

    zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    open: dict[Annotated[frozenset[str], PlainValidator(days)], Hours] = Field(min_length=1)
    holidays: Annotated[str, AfterValidator(_country)] | None = None
    exceptions: Annotated[
        dict[Annotated[Dates, PlainValidator(dates)], Annotated[OtherHours, BeforeValidator(_plain)]],
        BeforeValidator(_as_written),
    ] = Field(default_factory=dict)
    since: date | None = Field(default=None, alias="from")
    until: date | None = None

    @field_validator("open")
    @classmethod
    def _each_day_once(cls, hours: dict[frozenset[str], tuple[Range, ...]]) -> dict[frozenset[str], tuple[Range, ...]]:
        seen: set[str] = set()
        for these in hours:
            if twice := seen & these:
                raise ValueError(f"{', '.join(sorted(twice))} has its hours twice; name each day once")
            seen |= these
        return hours

    @field_validator("exceptions")
    @classmethod
    def _each_date_once(cls, exceptions: dict[Dates, OtherHours]) -> dict[Dates, OtherHours]:
        in_order = sorted(exceptions)
        for earlier, later in itertools.pairwise(in_order):
            if later.first <= earlier.last:
                raise ValueError(f"{later.first} is in two exceptions; name each date once")
        return exceptions

    @field_validator("until")
    @classmethod
    def _ends_after_it_begins(cls, until: date | None, info: ValidationInfo) -> date | None:
        since = info.data.get("since")
        if until and since and until < since:
            raise ValueError(f"`until` is before `from`: {until} before {since}")
        return until


class CalendarsFile(Written):
    """dialplan/calendars.yaml"""

    calendars: dict[Name, CalendarSettings] = Field(default_factory=dict)
