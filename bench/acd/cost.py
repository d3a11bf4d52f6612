"""What each verb costs Redis, in CPU time of its thread: with a hundred agents and waiting, and with ten thousand."""

from __future__ import annotations

import asyncio
import itertools
import statistics
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Mapping
from typing import TypeVar

from bench.acd.population import QUEUES, agents, policies
from bench.acd.server import Server
from engine.acd import Acd, Device, Intent, Notice, Offer, Placement

T = TypeVar("T")

_BATCH = 20
_LOGGING_IN = 200

Costs = dict[str, float]
"""Microseconds of CPU a call, the reading and writing of it included; the median of many batches."""


async def staff(acd: Acd, count: int) -> None:
    """So many agents, all of them ready."""
    await acd.load()
    await acd.define(agents(count), policies().values())
    for some in _batches(agents(count), _LOGGING_IN):
        await asyncio.gather(*(acd.agent(agent, intent=Intent.READY, device=Device.IDLE) for agent in some))


async def costs(server: Server, size: int, rounds: int) -> Costs:
    """`size` agents and as many who wait. `match_item` is an enqueue that finds an agent, `match_agent` a leave that
    finds an item: the two ways to decide. Raises LineDown."""
    offers: list[Offer] = []

    def noticed(notice: Notice) -> None:
        assert isinstance(notice, Offer), notice
        offers.append(notice)

    acd = Acd(server.line, domain=f"cost-{size}", engine="cost", on_notice=noticed)
    await staff(acd, size)
    scale = _Scale(server)
    numbers, queues = itertools.count(), itertools.cycle(QUEUES)
    terms = policies()

    def enqueue(queue: str) -> Awaitable[Placement]:
        return acd.enqueue(f"cost-1700000000000.{next(numbers)}", queue=queue, policy=terms[queue])

    async def accept() -> list[Offer]:
        accepted = offers.copy()
        offers.clear()
        await scale.weigh("accept", [acd.accept(offer.token) for offer in accepted])
        return accepted

    for _ in range(rounds):
        placements = await scale.weigh("match_item", [enqueue(next(queues)) for _ in range(_BATCH)])
        offers += [placement.offer for placement in placements if placement.offer]
        assert len(offers) == _BATCH, f"with {size} agents ready, somebody waits"
        await scale.weigh("leave", [acd.leave(offer.item, reason="caller") for offer in await accept()])

    talking: list[Offer] = []
    waiting = 0
    while waiting < size:
        placements = await asyncio.gather(*(enqueue(next(queues)) for _ in range(_BATCH)))
        offers += [placement.offer for placement in placements if placement.offer]
        waiting += _BATCH - len(offers)
        talking += await accept()
    for _ in range(rounds):
        done, talking = talking[:_BATCH], talking[_BATCH:]
        await scale.weigh("match_agent", [acd.leave(offer.item, reason="caller") for offer in done])
        assert len(offers) == _BATCH, f"with {waiting} waiting, somebody is idle"
        accepted = await accept()
        talking += accepted
        await scale.weigh("enqueue", [enqueue(offer.queue) for offer in accepted])
    return scale.medians()


class _Scale:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._found: dict[str, list[float]] = defaultdict(list)

    async def weigh(self, verb: str, calls: Iterable[Awaitable[T]]) -> list[T]:
        await self._server.rewritten()
        before = await self._server.main_thread_ms()
        if results := await asyncio.gather(*calls):
            spent_ms = await self._server.main_thread_ms() - before
            self._found[verb].append(1000 * spent_ms / len(results))
        return results

    def medians(self) -> Costs:
        return {verb: round(statistics.median(found), 1) for verb, found in self._found.items()}


def ratio(small: Mapping[str, float], large: Mapping[str, float]) -> float:
    """Of what a decision costs, the worse of the two ways."""
    return max(large[way] / small[way] for way in ("match_item", "match_agent"))


def _batches(ids: Iterable[str], size: int) -> Iterable[list[str]]:
    left = iter(ids)
    while some := list(itertools.islice(left, size)):
        yield some
