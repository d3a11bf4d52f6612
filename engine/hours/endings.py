"""Calendars that end: what `hotline check` warns of before callers meet it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from engine.hours.calendar import Calendar

WARN_AHEAD = timedelta(days=30)


def endings(calendar: Calendar, today: date) -> Iterator[tuple[str, str]]:
    """What has ended or ends within 30 days: the setting that it is about, and what to do."""
    soon, settings = today + WARN_AHEAD, calendar.settings
    holidays = calendar.holidays
    if holidays is not None and holidays.last < soon:
        known = f"the holidays of {holidays.country} are known up to {holidays.last} only"
        remedy = "update Hotline, or write the coming ones as `exceptions`"
        yield "holidays", f"{known}; {remedy}: without, weekdays count as working days and weekends as free"
    if settings.exceptions and (last := max(dates.last for dates in settings.exceptions)) < today:
        yield "exceptions", f"all of these days are past, the last was {last}; write the coming ones, or remove these"
    if settings.until is not None and settings.until < soon:
        past = settings.until < today
        yield "until", f"the calendar {'ended' if past else 'ends'} on {settings.until}: it is closed from then on"
