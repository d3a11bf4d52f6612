"""What is warned of before a calendar ends."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine.hours import Calendar
from engine.hours.endings import endings
from engine.hours.written import CalendarSettings


def warned(today: date, **settings: Any) -> list[str]:
    calendar = Calendar("office", CalendarSettings.model_validate({"open": {"daily": "24h"}} | settings))
    return [setting for setting, _ in endings(calendar, today)]


def last_known() -> date:
    calendar = Calendar("office", CalendarSettings.model_validate({"open": {"daily": "24h"}, "holidays": "CN"}))
    assert calendar.holidays is not None
    return calendar.holidays.last


def test_the_end_of_the_announced_holidays_is_warned_of_thirty_days_before() -> None:
    last = last_known()
    assert warned(last.replace(day=1), holidays="CN") == []
    assert warned(last.replace(day=2), holidays="CN") == ["holidays"]
    assert warned(last.replace(year=last.year + 5), holidays="CN") == ["holidays"]


@pytest.mark.parametrize(("today", "said"), [("2026-05-03", []), ("2026-05-04", ["exceptions"])])
def test_days_of_ones_own_that_are_all_past_are_warned_of(today: str, said: list[str]) -> None:
    exceptions = {"2026-01-05": "closed", "2026-05-01..2026-05-03": "closed"}
    assert warned(date.fromisoformat(today), exceptions=exceptions) == said


@pytest.mark.parametrize(("today", "said"), [("2026-10-12", []), ("2026-10-13", ["until"]), ("2027-01-01", ["until"])])
def test_the_end_of_a_campaign_is_warned_of(today: str, said: list[str]) -> None:
    assert warned(date.fromisoformat(today), until="2026-11-11") == said


def test_a_calendar_without_an_end_has_nothing_to_warn_of() -> None:
    assert warned(date(2040, 1, 1)) == []
