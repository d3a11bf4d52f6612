"""Legal holidays, and the weekends on which people work to make up for them (调休).

China's are decided anew every year, in November for the next one: chinese_calendar knows only the years that
have been announced. Other countries' follow rules, which the package holidays knows for decades ahead.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Protocol

from engine.config.source import nearest

CHINESE = "zh_CN"


class Holidays(Protocol):
    """What the law of one country says about a day."""

    @property
    def country(self) -> str:
        """As the admin wrote it: CN, HK, US-CA."""

    @property
    def last(self) -> date:
        """The last day that is known; from then on weekdays and weekends are all there is."""

    def name(self, day: date) -> str | None:
        """The holiday on which people are off, None where the day is none."""

    def made_up(self, day: date) -> bool:
        """True for a weekend day on which people work."""


class China:
    """The State Council's yearly notices (国务院办公厅关于节假日安排的通知)."""

    country = "CN"

    def __init__(self) -> None:
        from chinese_calendar import Holiday, constants

        chinese = {holiday.value: holiday.chinese for holiday in Holiday}
        self._names: dict[date, str] = {day: chinese.get(name, name) for day, name in constants.holidays.items()}
        self._workdays = frozenset(constants.workdays)
        self.last = date(max(self._names).year, 12, 31)

    def name(self, day: date) -> str | None:
        return self._names.get(day)

    def made_up(self, day: date) -> bool:
        return day in self._workdays


class Elsewhere:
    """Any other country, or a part of one: HK, JP, US-CA."""

    def __init__(self, country: str) -> None:
        """Raises ValueError when the country is not known."""
        import holidays

        self.country = country
        code, _, part = country.partition("-")
        known = holidays.list_supported_countries()
        if len(code) != 2 or code not in known:
            raise ValueError(f"no holidays are known of {code!r}; write a country's two letters, such as CN or HK")
        if code == China.country:
            raise ValueError("the holidays of China are the same everywhere; write CN")
        if part and part not in known[code]:
            raise ValueError(f"{code} has no part {part!r}{nearest(part, known[code])}")
        found = holidays.country_holidays(code, subdiv=part or None)
        if CHINESE in found.supported_languages:
            found = holidays.country_holidays(code, subdiv=part or None, language=CHINESE)
        self._found = found
        self.last = date(found.end_year, 12, 31)

    def name(self, day: date) -> str | None:
        return self._found.get(day)

    def made_up(self, day: date) -> bool:
        return self._found.get(day) is None and day in self._found.weekend_workdays


@cache
def of_country(country: str) -> Holidays:
    """The holidays of `CN`, `HK`, `US-CA`… Raises ValueError when nothing is known of it."""
    return China() if country == "CN" else Elsewhere(country)
