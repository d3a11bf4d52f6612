"""What an operator has ordered by the time of a simulated call; without this nobody has ordered anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from engine.config.site import Site
from engine.config.source import nearest
from engine.config.units import Written
from engine.flow.steps.announcement import Announcement
from engine.orders import AnnouncementOrder, HoursOrder, ListEntry, StandingOrders
from engine.store.order_rows import Orders


class BadOrders(LookupError):  # noqa: N818 - said to the person who wrote them
    """An order about something that the site has none of."""


class Ordered(Written):
    """`hours: {office: closed}`, `announcements: [banner-incident]`, `lists: {vip: ["13800138000"]}`."""

    hours: dict[str, Literal["open", "closed"]] = Field(default_factory=dict)
    announcements: list[str] = Field(default_factory=list)
    lists: dict[str, list[str]] = Field(default_factory=dict)

    def standing(self, site: Site) -> StandingOrders:
        """The orders, as calls look at them. Raises BadOrders."""
        for kind, name, known in self._named(site):
            if name not in known:
                raise BadOrders(f"there is no {kind} `{name}`{nearest(name, known)}")
        hours = [HoursOrder(calendar=name, is_open=said == "open") for name, said in self.hours.items()]
        announcements = [AnnouncementOrder(name=name) for name in self.announcements]
        entries = [
            ListEntry(list=name, number=site.hotline.caller(number, trunk="", presentation="allowed").number)
            for name, numbers in self.lists.items()
            for number in numbers
        ]
        return StandingOrders(Orders(0, hours, announcements, entries))

    def _named(self, site: Site) -> Iterator[tuple[str, str, set[str]]]:
        boxes = (box for flow in site.flows.values() for _, box in flow)
        announced = {box.announcement for box in boxes if isinstance(box, Announcement)}
        yield from (("calendar", name, {*site.calendars}) for name in self.hours)
        yield from (("step with the announcement", name, announced) for name in self.announcements)
        yield from (("list", name, {*site.lists}) for name in self.lists)
