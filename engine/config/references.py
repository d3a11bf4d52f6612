"""What steps name of the other files: calendars, lists, areas. A name that there is none of is a fault at its line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from engine.config.source import Fault, Source, nearest
from engine.flow.flow import Flow
from engine.flow.steps.area import Area
from engine.flow.steps.hours import Hours
from engine.flow.steps.list import List
from engine.identity.groups import OTHER, UNKNOWN, known_carrier, known_city, known_province

Where = Sequence[str]

_KNOWN = {"province": known_province, "city": known_city, "carrier": known_carrier}


def references(
    sources: Mapping[str, Source],
    flows: Mapping[str, Flow],
    *,
    calendars: Collection[str],
    lists: Collection[str],
    areas: Collection[str],
) -> Iterator[Fault]:
    """Every name in a flow that leads nowhere."""
    for name, flow in flows.items():
        for step, box in flow:
            for where, fault in _of_step(box, calendars, lists, areas):
                yield sources[name].fault(("steps", step, *where), fault)


def _of_step(
    box: object, calendars: Collection[str], lists: Collection[str], areas: Collection[str]
) -> Iterator[tuple[Where, str]]:
    if isinstance(box, Hours) and box.hours not in calendars:
        yield ("hours",), f"no calendar `{box.hours}` in dialplan/calendars.yaml{nearest(box.hours, calendars)}"
    if isinstance(box, List) and box.list not in lists:
        yield ("list",), f"no list `{box.list}` in dialplan/lists.yaml{nearest(box.list, lists)}"
    if isinstance(box, Area):
        yield from _of_area(box, areas)


def _of_area(box: Area, areas: Collection[str]) -> Iterator[tuple[Where, str]]:
    for name in box.when:
        if name in (OTHER, UNKNOWN):
            continue
        if box.area == "group":
            if name not in areas:
                yield ("when", name), f"no group `{name}` in dialplan/areas.yaml{nearest(name, areas)}"
            continue
        try:
            _KNOWN[box.area](name)
        except ValueError as error:
            yield ("when", name), str(error)
