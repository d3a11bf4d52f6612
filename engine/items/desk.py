"""What the programs of one agent see: the items they are offered, those they have at hand.

Levels, not edges: a program is shown the whole of it whenever something has changed, so one that is slow, or was away,
misses nothing and nothing piles up for it.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.acd import Offer
from engine.items.item import Item

# How long a program that asks again and again may be silent before its agent is offered no more items.
SILENT_S = 30.0

# Above every number of an engine before this one, so that whoever waits for another view than theirs is answered.
_versions = itertools.count(time.time_ns() // 1_000_000)


@dataclass(slots=True)
class Ringing:
    """An offer under way. `until_ms`: then it is missed."""

    offer: Offer
    item: Item
    since_ms: int
    until_ms: int
    timer: asyncio.TimerHandle
    shown: bool = False

    def fields(self) -> dict[str, Any]:
        """For JSON."""
        offer = self.offer
        return {"token": offer.token, "attempt": offer.attempt, "until_ms": self.until_ms, "item": self.item.fields()}


@dataclass(slots=True)
class Desk:
    """One agent's. `version` is another one after every change."""

    offers: dict[str, Ringing] = field(default_factory=dict)  # by token
    at_hand: dict[str, Item] = field(default_factory=dict)
    version: int = field(default_factory=lambda: next(_versions))
    watching: int = 0  # programs that wait for news at this moment
    silence: asyncio.TimerHandle | None = None
    is_open: bool = False  # somebody watches, or did a moment ago
    told_open: bool = False  # what the ACD was told of that
    telling: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self) -> None:
        """Whoever watches looks again."""
        self.version = next(_versions)
        self._news.set()
        self._news = asyncio.Event()

    async def news(self, seen: int, timeout_s: float) -> None:
        """Returns when there is another version than `seen`, or after so many seconds."""
        if self.version == seen:
            try:
                await asyncio.wait_for(self._news.wait(), timeout_s)
            except TimeoutError:
                return

    def view(self) -> dict[str, Any]:
        """As it is now, for JSON."""
        return {
            "version": self.version,
            "offers": [ringing.fields() for ringing in self.offers.values()],
            "items": [item.fields() for item in self.at_hand.values()],
        }


class Desks:
    """All of them, and which of our items is on which."""

    def __init__(self) -> None:
        self._desks: dict[str, Desk] = {}
        self._ringing: dict[str, dict[str, Ringing]] = {}  # by item, by token
        self._holders: dict[str, str] = {}

    def of(self, agent: str) -> Desk:
        """An agent's."""
        return self._desks.setdefault(agent, Desk())

    def all(self) -> list[tuple[str, Desk]]:
        """By agent."""
        return list(self._desks.items())

    def ring(self, offer: Offer, item: Item, ring_s: float, missed: Callable[[], object]) -> None:
        """An agent is offered an item; `missed` is called when they have not answered in `ring_s` seconds."""
        open_ = self._ringing.setdefault(item.id, {})
        if offer.token in open_:
            return
        now_ms = time.time_ns() // 1_000_000
        timer = asyncio.get_running_loop().call_later(ring_s, missed)
        ringing = open_[offer.token] = Ringing(offer, item, now_ms, now_ms + round(ring_s * 1000), timer)
        desk = self.of(offer.agent)
        desk.offers[offer.token] = ringing
        desk.changed()

    def ringing(self, token: str) -> Ringing | None:
        """An offer under way."""
        return self._ringing.get(token.partition("-")[2], {}).get(token)

    def tokens(self, item_id: str) -> set[str]:
        """Of the offers of an item that are under way."""
        return set(self._ringing.get(item_id, ()))

    def stop(self, token: str) -> None:
        """An offer is nobody's any more."""
        ringing = self.ringing(token)
        if ringing is None:
            return
        ringing.timer.cancel()
        open_ = self._ringing[ringing.item.id]
        del open_[token]
        if not open_:
            del self._ringing[ringing.item.id]
        desk = self.of(ringing.offer.agent)
        del desk.offers[token]
        desk.changed()

    def stop_all(self, item_id: str) -> None:
        """All offers of an item are."""
        for token in list(self._ringing.get(item_id, {})):
            self.stop(token)

    def hold(self, item: Item, agent: str) -> None:
        """An agent has accepted it."""
        self.stop_all(item.id)
        self._holders[item.id] = agent
        desk = self.of(agent)
        desk.at_hand[item.id] = item
        desk.changed()

    def holder(self, item_id: str) -> str:
        """Who has it at hand; "" for nobody."""
        return self._holders.get(item_id, "")

    def clear(self, item_id: str) -> None:
        """It is on nobody's desk any more."""
        self.stop_all(item_id)
        agent = self._holders.pop(item_id, "")
        if agent:
            desk = self.of(agent)
            del desk.at_hand[item_id]
            desk.changed()

    def close(self) -> None:
        """No timer is left."""
        for item_id in list(self._ringing):
            self.stop_all(item_id)
        for desk in self._desks.values():
            if desk.silence is not None:
                desk.silence.cancel()
