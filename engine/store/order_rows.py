"""Standing orders as the database keeps them and as the rest of the engine sees them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Who gave it and when, and until when it counts (epoch milliseconds; None: until withdrawn)."""

    until_ms: int | None = None
    ordered_by: str = ""
    ordered_ms: int = 0

    def counts(self, at_ms: int) -> bool:
        """Whether its time is not over."""
        return self.until_ms is None or at_ms < self.until_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursOrder(Order):
    """A calendar is open, or closed, whatever it says itself; `say`: a prompt for whoever calls, or ""."""

    calendar: str
    is_open: bool
    say: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncementOrder(Order):
    """An announcement is on; `say`: a prompt instead of its own, or ""."""

    name: str
    say: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEntry(Order):
    """A number (+8613800138000) or the beginning of many (+86170*) is on a list."""

    list: str
    number: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Orders:
    """All of them, as they were at one revision."""

    revision: int
    hours: Sequence[HoursOrder]
    announcements: Sequence[AnnouncementOrder]
    entries: Sequence[ListEntry]
