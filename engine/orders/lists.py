"""Lists of callers: numbers, and beginnings of numbers, that a flow treats in a way of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from engine.config.units import Written
from engine.identity.numbers import normalise
from engine.store.order_rows import ListEntry

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
Reason = Annotated[str, StringConstraints(max_length=200)]

_PREFIX = re.compile(r"\+\d{1,14}\*")


def pattern(text: str, *, area_code: str | None = None) -> str:
    """A number as it stands on a list: E.164, or the beginning of one and a star. Raises ValueError."""
    plain = text.strip()
    if plain.endswith("*"):
        if _PREFIX.fullmatch(plain) is None:
            raise ValueError(f"{plain!r} is no beginning of a number; write it with its country, such as +86170*")
        return plain
    number = normalise(plain, area_code=area_code).number
    if not number:
        raise ValueError(
            f"{plain!r} is no caller's number; write 13800138000, 075588881234 or, with its country, +85223456789"
        )
    return number


class Numbers:
    """Entries of one list by number. The longest beginning that still counts wins, a whole number over all."""

    def __init__(self, entries: Iterable[ListEntry]) -> None:
        self._entries = {entry.number: entry for entry in entries}

    def __iter__(self) -> Iterator[ListEntry]:
        return iter(self._entries.values())

    def find(self, number: str, at_ms: int) -> ListEntry | None:
        """The entry of an E.164 number; "" (an anonymous caller, a short code) is on no list."""
        if not number:
            return None
        patterns = (number, *(f"{number[:length]}*" for length in range(len(number), 1, -1)))
        found = (self._entries[each] for each in patterns if each in self._entries)
        return next((entry for entry in found if entry.counts(at_ms)), None)


class WrittenEntry(Written):
    """Why a number is on a list, and the last day on which it is."""

    reason: Reason = ""
    until: date | None = None


def _nothing(value: Any) -> Any:
    """`"+86170*":` alone is an entry without a reason."""
    return {} if value is None else value


@dataclass(frozen=True, slots=True)
class CallerList:
    """One list as it is written: the entries that are always on it, and the tier that its callers have."""

    tier: str
    numbers: Numbers

    def entry(self, number: str, at: datetime) -> ListEntry | None:
        """What is written about an E.164 number, if it counts at an aware moment."""
        return self.numbers.find(number, round(at.timestamp() * 1000))


class ListSettings(Written):
    """One list of lists.yaml."""

    tier: str = ""
    numbers: dict[Annotated[str, AfterValidator(pattern)], Annotated[WrittenEntry, BeforeValidator(_nothing)]] = Field(
        default_factory=dict
    )

    def read(self, name: str) -> CallerList:
        """The list, to be asked."""
        entries = (
            ListEntry(list=name, number=number, reason=it.reason, until_ms=_end_of(it.until), ordered_by="lists.yaml")
            for number, it in self.numbers.items()
        )
        return CallerList(self.tier, Numbers(entries))


def _end_of(day: date | None) -> int | None:
    """The midnight at which a day ends, in the zone of this machine."""
    if day is None:
        return None
    return round(datetime.combine(day + timedelta(days=1), time()).astimezone().timestamp() * 1000)


class ListsFile(Written):
    """dialplan/lists.yaml"""

    lists: dict[Name, Annotated[ListSettings, BeforeValidator(_nothing)]] = Field(default_factory=dict)
