"""Keys that could mean two things: what is typed ahead may not be taken for something else.

Callers who know a hotline type without listening: `3` for the account, then their number, then `1`. That works where
it is certain with which key a number ends: at its end key, or at its one length. So it is told of when

- a number has several lengths and no key that ends it, and a step behind it takes keys, too: they would be taken as
  part of the number;
- a key that ends a number, or begins it anew, is a digit: no number can hold it;
- a menu behind a number has the number's end key among its choices: pressed behind a number that is complete at its
  greatest length, it is taken as that number's end (engine/flow/digits.py, `ignore_next`);
- an extension is the beginning of another one: whoever dials the shorter one must wait, or press #.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.config.check import Finding, warning
from engine.config.check_flows import ASKS
from engine.config.site import Site
from engine.config.source import Source
from engine.flow.entry import Entry
from engine.flow.graph import Edge, edges
from engine.flow.steps import Step
from engine.flow.steps.extension import KEYED, Extension
from engine.flow.steps.menu import Menu

# Outcomes of a number that was keyed in; the others follow a silence, behind which nothing is typed ahead.
KEYED_IN = {"ok", "rejected", "not_found", "locked"}


def look(site: Site, sources: Mapping[str, Source]) -> Iterator[Finding]:
    """Every finding."""
    ways = edges(site.flows)
    boxes = {f"{name}/{step}": box for name, flow in site.flows.items() for step, box in flow}
    for name, flow in site.flows.items():
        for step, box in flow:
            for where, entry in _entries(box):
                follows = _next_asking(ways, boxes, f"{name}/{step}")
                for said in _of_entry(entry, follows):
                    yield warning(sources[name].fault(("steps", step, *where), said))
            if isinstance(box, Extension) and box.extension == KEYED:
                for said in _of_directory(box.directory(site)):
                    yield warning(sources[name].fault(("steps", step, "extension"), said))


def _entries(box: Step) -> Iterator[tuple[tuple[str, ...], Entry]]:
    """The numbers that a step takes, each with where it is written."""
    if isinstance(box, Entry):
        yield (box.kind,), box
    for proof in getattr(box, "verify", ()):
        yield (proof,), getattr(box, proof)


def _of_entry(entry: Entry, follows: Mapping[str, Step]) -> Iterator[str]:
    for name, key in (("end", entry.end), ("again", entry.again)):
        if key.isdigit():
            yield f"`{name}: {key}`: no number that is keyed in here can hold a {key}; take # or *"
    if not entry.end and entry.min < entry.max:
        for place in follows:
            lengths = f"{entry.min} to {entry.max} keys"
            said = f"a number of {lengths} without a key that ends it: what is typed ahead for `{place}` is taken as"
            yield f'{said} part of it; give it `end: "#"`, or one length'
    for place, box in follows.items():
        if isinstance(box, Menu) and entry.end and entry.end in box.keys:
            said = f"{entry.end} ends this number and is a choice of `{place}`: pressed behind a number of {entry.max}"
            yield f"{said} keys, it is taken as its end; give the menu another key"


def _of_directory(extensions: set[str]) -> Iterator[str]:
    for short in sorted(extensions):
        longer = [other for other in sorted(extensions) if other != short and other.startswith(short)]
        if longer:
            yield f"extension {short} is the beginning of {longer[0]}: its callers must press # or wait"


def _next_asking(ways: list[Edge], boxes: Mapping[str, Step], start: str) -> dict[str, Step]:
    """The steps that take keys next, once the number of `start` is complete."""
    found: dict[str, Step] = {}
    seen: set[str] = set()
    left = [e.target for e in ways if e.source == start and (not e.outcomes or KEYED_IN.intersection(e.outcomes))]
    while left:
        place = left.pop()
        if place is None or place in seen:
            continue
        seen.add(place)
        if boxes[place].kind in ASKS:
            found[place] = boxes[place]
        else:
            left += [edge.target for edge in ways if edge.source == place]
    return {place: box for place, box in found.items() if place != start and getattr(box, "type_ahead", True)}
