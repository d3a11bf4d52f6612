"""What an explanation is made of beside the ACD's own: who lacks what, and what was decided before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

from engine.acd import Acd, Explanation, parse
from engine.acd.conditions import Agent
from engine.config.site import Site
from engine.journal import events as e
from engine.journal.events import from_data

MOST_UNMET, LOOKED_AT = 20, 1000

_PATH = (
    e.ItemAdded,
    e.ItemEnqueued,
    e.ItemRefused,
    e.ItemResumed,
    e.ItemRelaxed,
    e.ItemPolicyChanged,
    e.ItemUrgent,
    e.ItemDeferred,
    e.ItemReturned,
    e.ItemAssigned,
    e.ItemReprioritised,
    e.ItemTakenOut,
    e.ItemRestored,
    e.ItemEnded,
)


async def unmet(now: Explanation, acd: Acd, site: Site) -> list[dict[str, Any]]:
    """Agents who may not take it at its present step, and what they lack; whoever is nearest first. Of many agents only
    the first are looked at."""
    requirement = next((parse(step.requirement) for step in now.steps if step.now and step.requirement), None)
    if requirement is None or isinstance(requirement.root, Agent):
        return []
    changed = await acd.changed_skills()
    lacking = []
    for user, agent in islice(site.agents.items(), LOOKED_AT):
        lacks = requirement.lacks({**agent.abilities, **changed.get(user, {})}, user)
        if lacks:
            lacking.append({"agent": user, "lacks": lacks})
    return sorted(lacking, key=lambda row: len(row["lacks"]))[:MOST_UNMET]


def history(events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`offers`: each as it was decided, and its outcome; `path`: the item's other events; `ended`: the last of them, if
    it is over."""
    offers: dict[str, dict[str, Any]] = {}
    path: list[Mapping[str, Any]] = []
    ended: Mapping[str, Any] | None = None
    for data in events:
        event = from_data(data)
        if isinstance(event, e.OfferCreated):
            offers[event.token] = _decided(event) | {"rang": False, "outcome": "", "outcome_at": 0}
        elif isinstance(event, e.OfferRinging | e.OfferAccepted | e.OfferMissed | e.OfferCancelled):
            if event.token in offers:
                offers[event.token] |= _outcome(event)
        elif isinstance(event, _PATH):
            path.append(data)
            ended = data if isinstance(event, e.ItemEnded | e.ItemRefused) else None
    return {"offers": list(offers.values()), "path": path, "ended": ended}


def _decided(event: e.OfferCreated) -> dict[str, Any]:
    """With the candidates' values by which the order went, and no others."""
    told = asdict(event)
    told["candidates"] = [
        {name: value for name, value in each.items() if value is not None} for each in told["candidates"]
    ]
    return told


def _outcome(event: e.Event) -> dict[str, Any]:
    match event:
        case e.OfferRinging():
            return {"rang": True}
        case e.OfferMissed() | e.OfferCancelled():
            return {"outcome": event.reason, "outcome_at": event.at}
        case _:
            return {"outcome": "accepted", "outcome_at": event.at}
