"""What a standing order says at a moment, and whom a list knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.hours import Calendar, Closed, Open, Why
from engine.hours.written import CalendarSettings
from engine.orders.lists import ListSettings, Numbers, pattern
from engine.orders.standing import StandingOrders, milliseconds
from engine.store.order_rows import AnnouncementOrder, HoursOrder, ListEntry, Orders

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = Calendar("office", CalendarSettings.model_validate({"open": {"mon-fri": "9:00-18:00"}}))
FRIDAY = datetime(2026, 11, 20, 10, tzinfo=SHANGHAI)
NIGHT = FRIDAY.replace(hour=3)


def standing(*, hours: tuple[HoursOrder, ...] = (), entries: tuple[ListEntry, ...] = ()) -> StandingOrders:
    return StandingOrders(Orders(1, hours, (), entries))


def test_without_an_order_the_calendar_says() -> None:
    assert standing().state(OFFICE, FRIDAY) == Open()
    assert standing().state(OFFICE, NIGHT) == Closed(Why.HOURS, "", FRIDAY.replace(hour=9))


def test_an_order_says_it_over_the_calendars_head_and_only_of_its_own_calendar() -> None:
    orders = standing(hours=(HoursOrder(calendar="office", is_open=True),))
    assert orders.state(OFFICE, NIGHT) == Open(forced=True)
    assert isinstance(orders.state(Calendar("other", OFFICE.settings), NIGHT), Closed)


@pytest.mark.parametrize(
    ("until", "opens_at"),
    [
        (FRIDAY.replace(hour=12), FRIDAY.replace(hour=12)),
        (FRIDAY.replace(hour=20), FRIDAY.replace(day=23, hour=9)),  # on Monday: the order ends after hours
        (None, None),
    ],
)
def test_forced_closed_opens_when_the_order_ends_and_the_calendar_agrees(
    until: datetime | None, opens_at: datetime | None
) -> None:
    order = HoursOrder(calendar="office", is_open=False, until_ms=milliseconds(until) if until else None)
    assert standing(hours=(order,)).state(OFFICE, FRIDAY) == Closed(Why.FORCED, "", opens_at)


def test_an_order_counts_until_its_moment_and_not_at_it() -> None:
    ends = milliseconds(FRIDAY) + 60_000
    orders = StandingOrders(
        Orders(
            1,
            [HoursOrder(calendar="office", is_open=False, until_ms=ends)],
            [AnnouncementOrder(name="banner", until_ms=ends)],
            [ListEntry(list="block", number="+8613900000000", until_ms=ends)],
        )
    )
    before, then = FRIDAY + timedelta(seconds=59, milliseconds=999), FRIDAY + timedelta(minutes=1)
    assert orders.hours("office", before)
    assert not orders.hours("office", then)
    assert orders.announcement("banner", before)
    assert not orders.announcement("banner", then)
    assert orders.entry("block", "+8613900000000", before)
    assert not orders.entry("block", "+8613900000000", then)


def entry(number: str, until_ms: int | None = None) -> ListEntry:
    return ListEntry(list="block", number=number, until_ms=until_ms)


def test_the_longest_beginning_that_still_counts_is_the_one_that_is_found() -> None:
    numbers = Numbers([entry("+86170*"), entry("+86170123*", 1000), entry("+8617012345678"), entry("+1*")])
    for number, at_ms, found in (
        ("+8617012345678", 0, "+8617012345678"),
        ("+8617012345679", 0, "+86170123*"),
        ("+8617012345679", 1000, "+86170*"),
        ("+8617112345678", 0, None),
        ("+13105551234", 0, "+1*"),
    ):
        hit = numbers.find(number, at_ms)
        assert (hit.number if hit else None) == found


def test_an_anonymous_caller_is_on_no_list_whatever_stands_there() -> None:
    assert Numbers([entry(""), entry("*"), entry("+*"), entry("+86*")]).find("", 0) is None


DIGITS = st.text("0123456789", min_size=1, max_size=6).map(lambda digits: f"+{digits}")


@given(number=DIGITS, patterns=st.sets(st.tuples(DIGITS, st.booleans())))
def test_a_number_is_found_exactly_if_an_entry_is_it_or_its_beginning(
    number: str, patterns: set[tuple[str, bool]]
) -> None:
    numbers = Numbers(entry(digits + "*" if prefix else digits) for digits, prefix in patterns)
    expected = any(number.startswith(digits) if prefix else number == digits for digits, prefix in patterns)
    assert (numbers.find(number, 0) is not None) is expected


@pytest.mark.parametrize(
    ("text", "stands_there"),
    [
        ("13800138000", "+8613800138000"),
        (" +86 138 0013 8000 ", "+8613800138000"),
        ("075588881234", "+8675588881234"),
        ("+85223456789", "+85223456789"),
        ("+86170*", "+86170*"),
        ("+1*", "+1*"),
    ],
)
def test_numbers_are_put_on_a_list_as_callers_have_them(text: str, stands_there: str) -> None:
    assert pattern(text) == stands_there


def test_a_local_number_is_completed_with_the_sites_area_code() -> None:
    assert pattern("88881234", area_code="0755") == "+8675588881234"


@pytest.mark.parametrize("text", ["", "*", "+*", "170*", "+86 170*", "anonymous", "10086", "88881234", "+86170**", "x"])
def test_what_can_be_no_callers_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no caller's number|write it with its country"):
        pattern(text)


def test_a_written_entry_lasts_to_the_end_of_its_day_on_this_machine() -> None:
    written = ListSettings.model_validate({"numbers": {"13800138000": {"until": "2026-11-20"}, "+86170*": None}})
    numbers = written.read("block").numbers
    midnight = milliseconds(datetime(2026, 11, 21).astimezone())
    assert numbers.find("+8613800138000", midnight - 1)
    assert not numbers.find("+8613800138000", midnight)
    assert numbers.find("+8617012345678", midnight + 10**12)


@pytest.mark.parametrize("written", [{"numbers": {"10086": {}}}, {"numbers": {"+86170*": {"untill": "2026-11-20"}}}])
def test_a_list_that_cannot_be_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        ListSettings.model_validate(written)


def test_milliseconds_are_those_since_the_epoch() -> None:
    assert milliseconds(datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)) == 1500
