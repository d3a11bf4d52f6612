"""Open or closed, at any moment: the year 2026 as it was decided, summer time, and nights."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from engine.hours import Calendar, Closed, Open, Why
from engine.hours.ranges import MIDNIGHT
from engine.hours.written import CalendarSettings

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = {
    "holidays": "CN",
    "open": {"mon-fri": "9:00-12:00, 13:00-18:00", "sat": "10:00-16:00"},
    "exceptions": {
        date(2026, 11, 30): {"open": "9:00-12:00", "name": "年终盘点"},
        "2026-06-22..2026-06-23": {"open": "closed", "name": "搬迁"},
    },
}


def calendar(**settings: Any) -> Calendar:
    return Calendar("office", CalendarSettings.model_validate(settings or OFFICE))


def local(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2026-11-20 08:59:59", False),
        ("2026-11-20 09:00:00", True),
        ("2026-11-20 11:59:59", True),
        ("2026-11-20 12:00:00", False),  # lunch
        ("2026-11-20 13:00:00", True),
        ("2026-11-20 18:00:00", False),
        ("2026-11-21 09:30:00", False),  # a Saturday
        ("2026-11-21 15:59:00", True),
        ("2026-11-22 11:00:00", False),  # a Sunday
        # 国庆节 2026: 1 to 7 October; worked instead: Sunday 20 September and Saturday 10 October
        ("2026-09-20 11:00:00", True),
        ("2026-09-20 17:00:00", True),
        ("2026-09-30 17:59:00", True),
        ("2026-10-01 10:00:00", False),
        ("2026-10-07 10:00:00", False),
        ("2026-10-08 09:00:00", True),
        ("2026-10-10 17:30:00", True),  # as on a Monday, not as on a Saturday
        ("2026-02-14 09:30:00", True),  # 春节: made up for on this Saturday
        ("2026-02-15 10:00:00", False),
        ("2026-01-04 09:30:00", True),  # 元旦: made up for on this Sunday
        ("2026-05-09 09:30:00", True),  # 劳动节: made up for on this Saturday
        ("2026-11-30 11:00:00", True),
        ("2026-11-30 14:00:00", False),
        ("2026-06-22 10:00:00", False),
        ("2026-06-23 10:00:00", False),
        ("2026-06-24 10:00:00", True),
    ],
)
def test_an_office_is_open_as_its_week_the_law_and_its_own_days_say(at: str, open_: bool) -> None:
    assert isinstance(calendar().state(local(at)), Open) is open_


@pytest.mark.parametrize(
    ("at", "closed"),
    [
        ("2026-10-01 03:00", Closed(Why.HOLIDAY, "国庆节", local("2026-10-08 09:00"))),
        ("2026-09-25 10:00", Closed(Why.HOLIDAY, "中秋", local("2026-09-28 09:00"))),
        ("2026-11-20 12:30", Closed(Why.HOURS, "", local("2026-11-20 13:00"))),
        ("2026-11-22 11:00", Closed(Why.HOURS, "", local("2026-11-23 09:00"))),
        ("2026-11-30 12:00", Closed(Why.HOURS, "年终盘点", local("2026-12-01 09:00"))),
        ("2026-06-22 10:00", Closed(Why.HOLIDAY, "搬迁", local("2026-06-24 09:00"))),
    ],
)
def test_closed_says_why_and_when_it_opens(at: str, closed: Closed) -> None:
    assert calendar().state(local(at)) == closed


def test_the_moment_of_opening_is_told_in_the_calendars_own_zone() -> None:
    state = calendar().state(datetime(2026, 11, 20, 0, 30, tzinfo=UTC))
    assert isinstance(state, Closed)
    assert str(state.opens_at) == "2026-11-20 09:00:00+08:00"


def test_a_night_belongs_to_the_day_that_it_begins_on() -> None:
    nights = calendar(holidays="CN", open={"mon-fri": "22:00-6:00"})
    assert isinstance(nights.state(local("2026-11-21 05:59")), Open)  # Saturday morning, Friday's night
    assert isinstance(nights.state(local("2026-11-21 06:00")), Closed)
    assert isinstance(nights.state(local("2026-11-21 23:00")), Closed)
    assert isinstance(nights.state(local("2026-11-23 05:00")), Closed)  # Monday morning: Sunday had no night
    assert isinstance(nights.state(local("2026-10-01 05:00")), Open)  # the night before the holiday lasts into it


def test_twenty_four_hours_are_always_open_and_never_change() -> None:
    always = calendar(open={"daily": "24h"})
    for at in ("2026-11-21 00:00", "2026-11-21 23:59:59", "2026-10-01 03:00"):
        assert always.state(local(at)) == Open()
    assert always.next_change(local("2026-11-21 12:00")) is None


def test_a_calendar_that_never_opens_says_so_instead_of_looking_for_ever() -> None:
    never = calendar(open={"daily": "closed"})
    assert never.state(local("2026-11-21 12:00")) == Closed(Why.HOURS, "", None)
    assert never.next_change(local("2026-11-21 12:00")) is None


def test_holidays_may_have_hours_of_their_own_and_make_up_days_too() -> None:
    duty = calendar(holidays="CN", open={"mon-fri": "9:00-18:00", "holiday": "10:00-12:00", "make_up": "9:00-15:00"})
    assert isinstance(duty.state(local("2026-10-01 11:00")), Open)
    assert duty.state(local("2026-10-01 13:00")) == Closed(Why.HOLIDAY, "国庆节", local("2026-10-02 10:00"))
    assert isinstance(duty.state(local("2026-10-10 14:59")), Open)
    assert isinstance(duty.state(local("2026-10-10 15:00")), Closed)


def test_before_and_after_its_dates_a_calendar_is_closed() -> None:
    campaign = calendar(open={"daily": "9:00-18:00"}, **{"from": "2026-11-01", "until": "2026-11-11"})
    assert campaign.state(local("2026-10-31 10:00")) == Closed(Why.NOT_IN_FORCE, "", local("2026-11-01 09:00"))
    assert isinstance(campaign.state(local("2026-11-01 10:00")), Open)
    assert isinstance(campaign.state(local("2026-11-11 17:59")), Open)
    assert campaign.state(local("2026-11-12 10:00")) == Closed(Why.NOT_IN_FORCE, "", None)


def test_other_countries_have_their_own_holidays() -> None:
    hong_kong = calendar(zone="Asia/Hong_Kong", holidays="HK", open={"mon-fri": "9:00-18:00"})
    zone = ZoneInfo("Asia/Hong_Kong")
    assert hong_kong.state(local("2026-07-01 10:00", zone)) == Closed(
        Why.HOLIDAY, "香港特别行政区成立纪念日", local("2026-07-02 09:00", zone)
    )
    assert isinstance(hong_kong.state(local("2026-10-02 10:00", zone)), Open)


NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("at", "open_"),
    [
        ("2026-03-06T13:59+00:00", False),  # 8:59 in winter
        ("2026-03-06T14:00+00:00", True),
        ("2026-03-09T12:59+00:00", False),  # 8:59 in summer
        ("2026-03-09T13:00+00:00", True),
        ("2026-11-02T13:59+00:00", False),
        ("2026-11-02T14:00+00:00", True),
    ],
)
def test_nine_is_nine_by_the_clock_on_the_wall_in_winter_and_in_summer(at: str, open_: bool) -> None:
    office = calendar(zone="America/New_York", open={"mon-fri": "9:00-17:00"})
    assert isinstance(office.state(datetime.fromisoformat(at)), Open) is open_


def test_a_night_in_which_the_clock_is_changed_is_an_hour_shorter_or_longer() -> None:
    nights = calendar(zone="America/New_York", open={"daily": "22:00-6:00"})
    for evening, hours in (("2026-03-07 22:00", 7), ("2026-10-31 22:00", 9), ("2026-11-20 22:00", 8)):
        opens = local(evening, NEW_YORK)
        closes = nights.next_change(opens)
        assert closes is not None
        assert closes - opens.astimezone(UTC) == timedelta(hours=hours)


def test_an_hour_that_comes_twice_is_open_the_first_time() -> None:
    early = calendar(zone="America/New_York", open={"daily": "0:00-1:30"})
    first = local("2026-11-01 01:15", NEW_YORK)
    assert isinstance(early.state(first), Open)
    assert isinstance(early.state(first.replace(fold=1)), Closed)


def test_a_long_night_ends_when_it_ends_whatever_the_next_day_has() -> None:
    overlapping = calendar(open={"mon": "22:00-12:00", "tue": "9:00-10:00"})
    assert isinstance(overlapping.state(local("2026-11-24 11:00")), Open)
    assert overlapping.next_change(local("2026-11-23 23:00")) == local("2026-11-24 12:00")


def test_after_the_last_announced_year_weekdays_count_and_it_is_logged_once() -> None:
    office = calendar()
    with capture_logs() as logs:
        assert isinstance(office.state(local("2040-10-01 10:00")), Open)  # a Monday
        assert isinstance(office.state(local("2040-10-06 17:00")), Closed)  # a Saturday
    assert [(entry["event"], entry["calendar"]) for entry in logs] == [("hours.holidays_end", "office")]


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        calendar().state(datetime(2026, 11, 20, 10))  # noqa: DTZ001 - that is the point


MINUTE = st.integers(0, MIDNIGHT - 1)
MOMENTS = st.datetimes(datetime(2025, 12, 1), datetime(2027, 2, 1), timezones=st.just(SHANGHAI))  # noqa: DTZ001


def clock(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02d}"


@given(at=MOMENTS)
def test_what_it_says_of_the_next_change_is_what_it_says_at_that_moment(at: datetime) -> None:
    office = calendar()
    change = office.next_change(at)
    assert change is not None
    before, then = office.state(at), office.state(change)
    assert type(before) is not type(then)
    assert type(office.state(change - timedelta(microseconds=1))) is type(before)
    if isinstance(before, Closed):
        assert before.opens_at == change


@given(at=MOMENTS, start=MINUTE, length=st.integers(1, MIDNIGHT - 1))
def test_one_range_a_day_is_open_exactly_while_the_clock_is_within_it(at: datetime, start: int, length: int) -> None:
    daily = calendar(open={"daily": f"{clock(start)}-{clock((start + length) % MIDNIGHT)}"})
    minute = at.hour * 60 + at.minute
    assert isinstance(daily.state(at), Open) is ((minute - start) % MIDNIGHT < length)


@given(at=MOMENTS, zone=st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]))
def test_the_answer_does_not_depend_on_the_zone_that_the_question_is_asked_in(at: datetime, zone: str) -> None:
    office = calendar()
    assert office.state(at) == office.state(at.astimezone(ZoneInfo(zone)))
