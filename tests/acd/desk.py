"""One engine's ACD with a virtual clock, and words for what tests do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from engine.acd import (
    Acd,
    AgentState,
    AgentTerms,
    Cancelled,
    Device,
    Intent,
    ItemState,
    Missed,
    Notice,
    Offer,
    Placement,
    Policy,
    Released,
    Sooner,
    Step,
)
from engine.redis_line import RedisLine

START_MS = 1_700_000_000_000
LEASE_MS = 20_000
WRAPUP_MS = 10_000


def policy(*requirements: str, after: tuple[int, ...] = (), **terms: Any) -> Policy:
    """A queue's policy: one requirement, or several, each `after` so many ms."""
    times = (0, *after)
    steps = tuple(Step(at, text) for at, text in zip(times, requirements or ("any",), strict=True))
    return Policy(steps=steps, **{"lease_ms": LEASE_MS, "wrapup_ms": WRAPUP_MS, **terms})


class Desk:
    def __init__(self, line: RedisLine, engine: str = "one") -> None:
        self.line = line
        self.now_ms = START_MS
        self.offers: list[Offer] = []
        self.sooner: list[Sooner] = []
        self.cancelled: list[Cancelled] = []
        self.released: list[Released] = []
        self.on_emptied: Callable[[], None] = lambda: None
        self.acd = Acd(
            line,
            engine=engine,
            on_notice=self._noticed,
            on_emptied=lambda: self.on_emptied(),
            clock=lambda: self.now_ms,
        )

    def _noticed(self, notice: Notice) -> None:
        match notice:
            case Offer():
                self.offers.append(notice)
            case Sooner():
                self.sooner.append(notice)
            case Cancelled():
                self.cancelled.append(notice)
            case Released():
                self.released.append(notice)

    async def staff(
        self, agents: Mapping[str, Mapping[str, int] | AgentTerms], *requirements: str, ready: bool = True
    ) -> None:
        """Defines agents and makes them ready one after the other, a second apart."""
        terms = {
            id_: who if isinstance(who, AgentTerms) else AgentTerms(skills=who, rank=rank)
            for rank, (id_, who) in enumerate(agents.items())
        }
        await self.acd.define(terms, [policy(text) for text in requirements])
        for agent in agents if ready else ():
            await self.ready(agent)
            await self.passes(1_000)

    async def ready(self, agent: str) -> None:
        await self.acd.agent(agent, intent=Intent.READY, device=Device.IDLE)

    async def calls(
        self, item: str, requirement: str | Policy = "any", *, queue: str = "sales", wrapup_ms: int = WRAPUP_MS,
        **asked: Any,
    ) -> Placement:  # fmt: skip
        terms = requirement if isinstance(requirement, Policy) else policy(requirement, wrapup_ms=wrapup_ms)
        placement = await self.acd.enqueue(item, queue=queue, policy=terms, **asked)
        self.offers += placement.offers
        return placement

    async def passes(self, ms: int) -> None:
        """Time goes by; every timer due by then has been handled."""
        self.now_ms += ms
        while await self.acd.tick():
            pass

    async def misses(self, reason: Missed, *, ring_ms: int = 0) -> bool:
        return await self.acd.miss(self.last.token, reason, ring_ms=ring_ms)

    @property
    def last(self) -> Offer:
        return self.offers[-1]

    def offered(self) -> list[tuple[str, str]]:
        """(item, agent) of every offer so far, in order."""
        return [(offer.item, offer.agent) for offer in self.offers]

    async def agent(self, agent: str) -> AgentState:
        return next(state for state in await self.acd.agents() if state.id == agent)

    async def item(self, item: str) -> ItemState | None:
        return await self.acd.item(item)

    async def journal(self, *kinds: str) -> list[dict[str, Any]]:
        entries = await self.line.call("XRANGE", "hotline:{default}:journal", "-", "+")
        events: list[dict[str, Any]] = [orjson.loads(fields[1]) for _, fields in entries]
        return [event for event in events if not kinds or event["type"] in kinds]
