"""What may stand in calendars.yaml, and what is said about the rest."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.hours.ranges import Range, days, ranges
from engine.hours.written import CalendarSettings


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("9:00-18:00", [(540, 1080)]),
        ("09:00 - 12:00, 13:00 – 18:00", [(540, 720), (780, 1080)]),
        ("13:00-18:00,9:00-12:00", [(540, 720), (780, 1080)]),
        ("22:00-6:00", [(1320, 1800)]),
        ("18:00-24:00", [(1080, 1440)]),
        ("18:00-0:00", [(1080, 1440)]),
        ("0:00-24:00", [(0, 1440)]),
        ("24h", [(0, 1440)]),
        ("closed", []),
        (["9:00-12:00", "13:00-18:00"], [(540, 720), (780, 1080)]),
    ],
)
def test_hours_are_read_as_people_write_them(text: Any, hours: list[tuple[int, int]]) -> None:
    assert ranges(text) == tuple(Range(*each) for each in hours)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("9-18", "write 9:00-18:00"),
        ("9:00", "write 9:00-18:00"),
        (540, "write 9:00-18:00"),  # what YAML makes of 9:00
        ("9:00-25:00", "the last one is 24:00"),
        ("9:60-18:00", "no time of the day"),
        ("9:00-9:00", "no time at all"),
        ("24:00-6:00", "no time at all"),
        ("9:00-12:00, 11:00-13:00", "9:00-12:00 and 11:00-13:00 overlap"),
        ("9:00-12:00,", "write 9:00-18:00"),
        (False, "or closed"),  # what YAML makes of off
        ("", "write"),
    ],
)
def test_what_are_no_hours_is_refused_with_what_to_write(text: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ranges(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mon", "mon"),
        ("Mon-Wed", "mon tue wed"),
        ("fri-mon", "fri sat sun mon"),
        ("sat, sun", "sat sun"),
        ("mon-tue, fri", "mon tue fri"),
        ("daily", "mon tue wed thu fri sat sun"),
        ("holiday", "holiday"),
        ("make_up", "make_up"),
    ],
)
def test_days_are_read_as_people_write_them(text: str, found: str) -> None:
    assert days(text) == set(found.split())


@given(st.text() | st.integers() | st.booleans() | st.lists(st.text()))
def test_nothing_that_may_be_written_for_hours_or_days_is_worse_than_refused(written: Any) -> None:
    for reading in (ranges, days):
        try:
            reading(written)
        except ValueError as error:
            assert str(error)


WEEK = {"mon-fri": "9:00-18:00"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"open": {}}, "at least 1"),
        ({"open": {"mon-fri": "9:00-18:00", "wed": "9:00-12:00"}}, "wed has its hours twice"),
        ({"open": {"weekdays": "9:00-18:00"}}, "'weekdays' is no day; days are mon, tue"),
        ({"open": WEEK, "zone": "Asia/Shangai"}, "did you mean `Asia/Shanghai`"),
        ({"open": WEEK, "zone": "../../etc/passwd"}, "no time zone"),
        ({"open": WEEK, "holidays": "CHN"}, "no holidays are known of 'CHN'"),
        ({"open": WEEK, "holidays": "CN-GD"}, "the same everywhere; write CN"),
        ({"open": WEEK, "holidays": "US-XX"}, "US has no part 'XX'"),
        ({"open": WEEK, "exceptions": {"2026-13-01": "closed"}}, "month must be in 1..12"),
        ({"open": WEEK, "exceptions": {"new year": "closed"}}, "write 2026-12-31 or"),
        ({"open": WEEK, "exceptions": {"2026-02-18..2026-02-15": "closed"}}, "ends before it begins"),
        ({"open": WEEK, "exceptions": {"2026-02-15..2026-02-18": "closed", "2026-02-18": "24h"}}, "in two exceptions"),
        ({"open": WEEK, "exceptions": {"2026-02-15": {"name": "x"}}}, "open"),
        ({"open": WEEK, "closed": {"sun": "24h"}}, "Extra inputs"),
        ({"open": WEEK, "from": "2026-12-01", "until": "2026-11-01"}, "`until` is before `from`"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        CalendarSettings.model_validate(settings)
