"""One step that decides, run at a moment and with the standing orders that a test wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from engine.config.site import Site, load
from engine.flow.steps import Next, read_step
from engine.flow.visit import Visit
from engine.hours import Calendar
from engine.hours.written import CalendarsFile
from engine.identity.groups import AreasFile
from engine.identity.numbers import normalise
from engine.orders import AnnouncementOrder, HoursOrder, ListEntry, StandingOrders
from engine.orders.lists import ListsFile
from engine.store.order_rows import Order, Orders
from tests.unit.flow.scripted import PROJECT, ScriptedLeg, visit_of
from tests.unit.nobody import services_of

FRIDAY_MORNING = datetime(2026, 11, 20, 10, tzinfo=ZoneInfo("Asia/Shanghai"))

CALENDARS = CalendarsFile.model_validate(
    {"calendars": {"office": {"holidays": "CN", "open": {"mon-fri": "9:00-18:00"}}}}
).calendars
AREAS = AreasFile.model_validate(
    {"areas": {"south": {"provinces": ["广东", "海南"]}, "north": {"provinces": ["北京"]}}}
).areas
LISTS = ListsFile.model_validate(
    {
        "lists": {
            "block": {"numbers": {"+86170*": {"reason": "骚扰"}, "13900000001": {"until": "2026-11-19"}}},
            "vip": {"tier": "VIP", "numbers": {"13800138000": {}}},
        }
    }
).lists


@cache
def _site() -> Site:
    """For its sounds: these steps need no flow."""
    return load(PROJECT, unspoken=True)


@dataclass
class Decided:
    """Where a step leads, what it was called, and what the caller heard meanwhile."""

    step: str | None
    outcome: str
    leg: ScriptedLeg
    visit: Visit

    @property
    def heard(self) -> Sequence[str]:
        return self.leg.heard

    @property
    def variables(self) -> dict[str, Any]:
        return self.visit.variables


def standing(*orders: Order) -> StandingOrders:
    """Those orders and no others."""
    return StandingOrders(
        Orders(
            1,
            [order for order in orders if isinstance(order, HoursOrder)],
            [order for order in orders if isinstance(order, AnnouncementOrder)],
            [order for order in orders if isinstance(order, ListEntry)],
        )
    )


async def decide(
    step: dict[str, Any],
    *orders: Order,
    at: datetime = FRIDAY_MORNING,
    caller: str = "13800138000",
    keys: Sequence[str] = (),
    known: Mapping[str, Any] | None = None,
) -> Decided:
    """Runs the step for a caller; `keys` were pressed before it began, `known` is what
    earlier steps have set."""
    leg = ScriptedLeg()
    for key in keys:
        leg.digits.press(key)
    site = replace(
        _site(),
        calendars={name: Calendar(name, each) for name, each in CALENDARS.items()},
        areas=AREAS,
        lists={name: each.read(name) for name, each in LISTS.items()},
    )
    services = services_of(orders=standing(*orders))
    visit = visit_of(leg, services=services, site=site, caller=normalise(caller), **(known or {}))
    visit.now = lambda: at
    end = await read_step(step).run(visit)
    assert isinstance(end, Next)
    return Decided(end.step, end.outcome, leg, visit)
