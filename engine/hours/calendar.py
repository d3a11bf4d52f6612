"""One calendar: open or closed at a moment, why, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import structlog

from engine.hours.holidays import of_country
from engine.hours.ranges import HOLIDAY, MAKE_UP, MIDNIGHT, WEEKDAYS, Range
from engine.hours.written import CalendarSettings

log = structlog.get_logger()

# How far ahead the next opening is looked for: a step of a call asks, so it must end soon.
HORIZON_DAYS = 60


class Why(StrEnum):
    """Why it is closed."""

    HOURS = "hours"
    HOLIDAY = "holiday"
    NOT_IN_FORCE = "not_in_force"
    FORCED = "forced"


@dataclass(frozen=True, slots=True)
class Open:
    """Somebody is there. `forced`: because an operator says so, whatever the calendar says."""

    forced: bool = False


@dataclass(frozen=True, slots=True)
class Closed:
    """Nobody is there. `name`: the holiday's; `opens_at`: in the calendar's zone, None when not in 60 days."""

    why: Why
    name: str = ""
    opens_at: datetime | None = None


State = Open | Closed


@dataclass(frozen=True, slots=True)
class Day:
    """What one date is: its hours, and why it has no others."""

    hours: tuple[Range, ...]
    why: Why = Why.HOURS
    name: str = ""


class Calendar:
    """Reads a calendar's settings for any moment. Edges that the clock skips or repeats when summer time begins
    and ends are read with the offset from before the change (PEP 495, fold=0)."""

    def __init__(self, name: str, settings: CalendarSettings) -> None:
        self.name = name
        self.settings = settings
        self.zone = ZoneInfo(settings.zone)
        self.holidays = of_country(settings.holidays) if settings.holidays else None
        self._week = {day: hours for days, hours in settings.open.items() for day in days}
        self._said_end = False

    def state(self, at: datetime) -> State:
        """Open or closed at an aware moment. Raises ValueError for a naive one."""
        today = self._date(at)
        self._say_end(today)
        for start, end in self._spans(today):
            if start <= at < end:
                return Open()
            if start > at:
                return self._closed(today, start)
        return self._closed(today, None)

    def next_change(self, at: datetime) -> datetime | None:
        """When what `state` says will no longer be so; None when that is more than 60 days away."""
        closes: datetime | None = None
        for start, end in self._spans(self._date(at)):
            if end <= at:
                continue
            if closes is None and start > at:
                return start
            if closes is not None and start > closes:
                return closes
            closes = end if closes is None else max(closes, end)
        if closes is None or self._date(closes) > self._date(at) + timedelta(days=HORIZON_DAYS):
            return None
        return closes

    def day(self, day: date) -> Day:
        """A date's hours: its own if it has some, else the law's, else the week's."""
        settings = self.settings
        if (settings.since and day < settings.since) or (settings.until and day > settings.until):
            return Day((), Why.NOT_IN_FORCE)
        for dates, other in settings.exceptions.items():
            if dates.first <= day <= dates.last:
                return Day(other.open, Why.HOURS if other.open else Why.HOLIDAY, other.name)
        if self.holidays is not None:
            if name := self.holidays.name(day):
                return Day(self._week.get(HOLIDAY, ()), Why.HOLIDAY, name)
            if self.holidays.made_up(day):
                return Day(self._week.get(MAKE_UP, self._week.get("mon", ())))
        return Day(self._week.get(WEEKDAYS[day.weekday()], ()))

    def _spans(self, today: date) -> Iterator[tuple[datetime, datetime]]:
        """Opening times in their order, from yesterday's, which may still last, to the horizon."""
        for ahead in range(-1, HORIZON_DAYS + 1):
            day = today + timedelta(days=ahead)
            for hours in self.day(day).hours:
                yield self._moment(day, hours.start), self._moment(day, hours.end)

    def _moment(self, day: date, minute: int) -> datetime:
        days, minute = divmod(minute, MIDNIGHT)
        local = datetime.combine(day + timedelta(days=days), time(minute // 60, minute % 60), self.zone)
        # In UTC: Python compares and subtracts moments of one zone by their wall clocks.
        return local.astimezone(UTC)

    def _date(self, at: datetime) -> date:
        if at.tzinfo is None:
            raise ValueError("a calendar needs to know the zone of the moment it is asked about")
        return at.astimezone(self.zone).date()

    def _closed(self, today: date, opens_at: datetime | None) -> Closed:
        day = self.day(today)
        return Closed(day.why, day.name, opens_at.astimezone(self.zone) if opens_at else None)

    def _say_end(self, today: date) -> None:
        if self.holidays is None or today <= self.holidays.last or self._said_end:
            return
        self._said_end = True
        effect = "weekdays count as working days and weekends as free; write holidays as exceptions, or update"
        log.warning("hours.holidays_end", calendar=self.name, last=str(self.holidays.last), effect=effect)
