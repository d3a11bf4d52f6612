"""Random callers for the real ACD, in virtual time: each who has to wait is told how long, and how that turned out."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from engine.acd import Device, Intent, Offer
from engine.acd.estimate import Estimate, estimate
from engine.acd.states import Figures
from engine.speech.waits import spoken
from tests.acd.desk import Desk, policy

RING_MS = 5_000


@dataclass(frozen=True)
class Source:
    """Callers of one queue: Poisson arrivals, exponential talks and patience. `ahead`: the share of them who come with
    a head start of ten minutes."""

    queue: str
    require: str
    every_ms: float
    talk_ms: float = 180_000
    patience_ms: float = math.inf
    ahead: float = 0.0


@dataclass
class Told:
    queue: str
    at: int
    figures: Figures
    estimate: Estimate
    said: tuple[int, int] | None
    answered: int | None = None

    @property
    def took(self) -> int:
        assert self.answered is not None
        return self.answered - self.at


class Traffic:
    """Plays until `until_ms` from now. `shifts`: who logs in or out at which moment."""

    def __init__(self, desk: Desk, *sources: Source, seed: int = 1) -> None:
        self.desk, self.sources, self.dice = desk, sources, random.Random(seed)  # noqa: S311 - the same traffic each time
        self.told: dict[str, Told] = {}
        self.silent = 0  # waited, and nothing could be said
        self._numbers = count()
        self._agenda: list[tuple[int, int, Callable[[], Awaitable[Any]]]] = []
        self.talks: dict[str, float] = {}

    def at(self, ms: float, what: Callable[[], Awaitable[Any]]) -> None:
        heapq.heappush(self._agenda, (int(ms), next(self._numbers), what))

    def shift(self, ms: int, agent: str, intent: Intent) -> None:
        self.at(self.desk.now_ms + ms, lambda: self.desk.acd.agent(agent, intent=intent, device=Device.IDLE))

    async def play(self, length_ms: int) -> list[Told]:
        """Those for whom something was reckoned after the first eighth, and who were answered."""
        begin = self.desk.now_ms
        for source in self.sources:
            self._next(source)
        while self._agenda and self._agenda[0][0] < begin + length_ms:
            self.desk.now_ms, _, what = heapq.heappop(self._agenda)
            await what()
            self._ring()
        return [t for t in self.told.values() if t.answered is not None and t.at > begin + length_ms / 8]

    def _ring(self) -> None:
        while self.desk.offers:
            offer = self.desk.offers.pop()
            self.at(self.desk.now_ms + RING_MS, partial(self._answer, offer))

    def _next(self, source: Source) -> None:
        self.at(self.desk.now_ms + self.dice.expovariate(1 / source.every_ms), lambda: self._arrive(source))

    async def _arrive(self, source: Source) -> None:
        self._next(source)
        item = f"{source.queue}-{next(self._numbers)}"
        head_start_ms = 600_000 if self.dice.random() < source.ahead else 0
        placement = await self.desk.calls(
            item, policy(source.require, wrapup_ms=0, reckoned=True), queue=source.queue, head_start_ms=head_start_ms
        )
        if source.patience_ms < math.inf:
            self.at(self.desk.now_ms + self.dice.expovariate(1 / source.patience_ms), lambda: self._give_up(item))
        self.talks[item] = self.dice.expovariate(1 / source.talk_ms)
        if placement.position:
            await self._tell(item, source.queue)

    async def _tell(self, item: str, queue: str) -> None:
        figures = await self.desk.acd.figures(item)
        assert figures is not None
        reckoned = estimate(figures)
        if reckoned is None:
            self.silent += 1
            return
        wait = spoken(reckoned.low_ms, reckoned.high_ms)
        said = (wait.low_ms, wait.high_ms) if wait else None
        self.told[item] = Told(queue, self.desk.now_ms, figures, reckoned, said)
        if wait:
            await self.desk.acd.said(
                item, figures.position, low_ms=wait.low_ms, high_ms=wait.high_ms, likely_ms=reckoned.likely_ms
            )
        else:
            self.silent += 1

    async def _answer(self, offer: Offer) -> None:
        if await self.desk.acd.accept(offer.token):
            if offer.item in self.told:
                self.told[offer.item].answered = self.desk.now_ms
            self.at(self.desk.now_ms + self.talks.pop(offer.item), lambda: self.desk.acd.leave(offer.item, reason="x"))

    async def _give_up(self, item: str) -> None:
        if item in self.talks:
            await self.desk.acd.withdraw(item, "abandoned_waiting")
