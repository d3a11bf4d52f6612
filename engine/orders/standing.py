"""The standing orders that count now, in memory: what a call's steps ask."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from engine.hours import Calendar, Closed, Open, State, Why
from engine.orders.lists import Numbers
from engine.store.order_rows import AnnouncementOrder, HoursOrder, ListEntry, Orders

NONE = Orders(-1, (), (), ())


class StandingOrders:
    """Looked at by every call, replaced as a whole when something has changed. Times are checked at use, by the
    absolute time that stands in the order: nothing needs to wake up when one is over."""

    def __init__(self, orders: Orders = NONE) -> None:
        self.replace(orders)

    def replace(self, orders: Orders) -> None:
        """From now on these count."""
        lists: defaultdict[str, list[ListEntry]] = defaultdict(list)
        for entry in orders.entries:
            lists[entry.list].append(entry)
        self.all = orders
        self._hours = {order.calendar: order for order in orders.hours}
        self._announcements = {order.name: order for order in orders.announcements}
        self._lists = {name: Numbers(entries) for name, entries in lists.items()}

    def hours(self, calendar: str, at: datetime) -> HoursOrder | None:
        """The order that forces a calendar open or closed at an aware moment, if there is one."""
        order = self._hours.get(calendar)
        return order if order is not None and order.counts(milliseconds(at)) else None

    def state(self, calendar: Calendar, at: datetime) -> State:
        """Open or closed: the order's word if there is one, else the calendar's."""
        order = self.hours(calendar.name, at)
        if order is None:
            return calendar.state(at)
        if order.is_open:
            return Open(forced=True)
        if order.until_ms is None:
            return Closed(Why.FORCED)
        ends = datetime.fromtimestamp(order.until_ms / 1000, calendar.zone)
        after = calendar.state(ends)
        return Closed(Why.FORCED, "", ends if isinstance(after, Open) else after.opens_at)

    def announcement(self, name: str, at: datetime) -> AnnouncementOrder | None:
        """The order that has switched an announcement on, if there is one."""
        order = self._announcements.get(name)
        return order if order is not None and order.counts(milliseconds(at)) else None

    def entry(self, list_name: str, number: str, at: datetime) -> ListEntry | None:
        """What an operator has put on a list that a caller's number (E.164) is on."""
        numbers = self._lists.get(list_name)
        return numbers.find(number, milliseconds(at)) if numbers is not None else None


def milliseconds(at: datetime) -> int:
    """A moment as the orders have it, in milliseconds since the epoch."""
    return round(at.timestamp() * 1000)
