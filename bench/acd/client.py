"""One client: an engine in a process of its own, whose callers come, are offered, talk no time at all, and go.

`python -m bench.acd.client URL NAME` reads one order a line, JSON, and answers each with a line, when it is done.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
import uvloop

from bench.acd.population import DOMAIN, QUEUES, policies
from engine.acd import Acd, Notice, Offer, Placement
from engine.redis_line import RedisLine

_PATIENCE_S = 5.0
_FILLING_AT_ONCE = 50

Cycle = Callable[[float], Coroutine[Any, Any, None]]


class Client:
    """`busy` and `idle` are one cycle each: enqueue, match, accept, complete, ready. Which of its steps decides
    differs: where callers wait, an agent who is done; where agents wait, a caller who comes."""

    def __init__(self, url: str, name: str) -> None:
        self._line = RedisLine(url, deadline_s=30)
        self._acd = Acd(self._line, domain=DOMAIN, engine=name, on_notice=self._noticed)
        self._policies = policies()
        self._name, self._numbers = name, itertools.count()
        self._chance = random.Random(name)  # noqa: S311
        self._talking: deque[str] = deque()
        self._somebody_talks = asyncio.Event()
        self._turns = asyncio.Semaphore(0)
        self._tasks: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None
        self.cycles = 0
        self.latencies: list[float] = []  # of decisions, in seconds

    async def open(self) -> None:
        await self._line.open()
        await self._acd.open()

    async def close(self) -> None:
        await self._acd.close()
        await self._line.close()

    async def busy(self, due: float) -> None:
        """An agent is done and gets the next in line: perhaps another client's. Whose it is accepts, and the next
        caller of the same queue takes the free place in the line; only then does the next agent finish."""
        item = await self._one_who_talks()
        assert await self._acd.leave(item, reason="caller"), f"{item} did not talk"
        self._decided(due)

    async def idle(self, due: float) -> None:
        """A caller comes, gets an agent at once, and is done."""
        queue = self._chance.choice(QUEUES)
        placement = await self._enqueue(queue)
        self._decided(due)
        assert placement.offer, f"nobody is ready in {queue}: {placement}"
        assert await self._acd.accept(placement.offer.token)
        assert await self._acd.leave(placement.offer.item, reason="caller")
        self._turns.release()

    async def fill(self, waiting: int) -> None:
        """Callers come until so many of them wait; those who find an agent talk."""
        numbers = iter(range(waiting))

        async def callers() -> None:
            for number in numbers:
                await self._come(QUEUES[number % len(QUEUES)])

        await asyncio.gather(*(callers() for _ in range(_FILLING_AT_ONCE)))

    async def closed(self, cycle: Cycle, seconds: float, width: int) -> None:
        """`width` cycles at a time; one begins when one is over, also where another client began it."""
        end = time.monotonic() + seconds
        self._turns = asyncio.Semaphore(width)
        while (now := time.monotonic()) < end:
            self._begin(cycle(now))
            await self._turns.acquire()
        await self._quiet()

    async def open_loop(self, cycle: Cycle, seconds: float, rate: float) -> None:
        """Cycles begin at moments drawn beforehand, `rate` a second, whether or not those before are over. Latency
        counts from that moment, so that what is late makes its followers late and not rare."""
        moment = start = time.monotonic() + 0.1
        due: deque[float] = deque()
        while (moment := moment + self._chance.expovariate(rate)) < start + seconds:
            due.append(moment)
        over = asyncio.Event()

        def begin() -> None:
            while due and due[0] <= time.monotonic():
                self._begin(cycle(due.popleft()))
            if due:
                # The timers of an event loop are too coarse: a whole millisecond.
                signal.setitimer(signal.ITIMER_REAL, max(due[0] - time.monotonic(), 1e-6))
            else:
                over.set()

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGALRM, begin)
        begin()
        await over.wait()
        loop.remove_signal_handler(signal.SIGALRM)
        await self._quiet()

    @property
    def talking(self) -> int:
        return len(self._talking)

    def _decided(self, due: float) -> None:
        self.latencies.append(time.monotonic() - due)
        self.cycles += 1

    def _noticed(self, notice: Notice) -> None:
        assert isinstance(notice, Offer), notice
        self._begin(self._take(notice))

    async def _take(self, offer: Offer) -> None:
        await self._accept(offer)
        await self._come(offer.queue)
        self._turns.release()

    async def _come(self, queue: str) -> None:
        """A caller, and another one for each who finds an agent at once."""
        while offer := (await self._enqueue(queue)).offer:
            await self._accept(offer)

    def _enqueue(self, queue: str) -> Coroutine[Any, Any, Placement]:
        # As long as the id of a call is.
        item = f"{self._name}-{time.time_ns() // 1_000_000}.{next(self._numbers)}"
        return self._acd.enqueue(item, queue=queue, policy=self._policies[queue])

    async def _accept(self, offer: Offer) -> None:
        assert await self._acd.accept(offer.token), f"{offer} was accepted too late"
        self._talking.append(offer.item)
        self._somebody_talks.set()

    async def _one_who_talks(self) -> str:
        while not self._talking:
            self._somebody_talks.clear()
            async with asyncio.timeout(_PATIENCE_S):
                await self._somebody_talks.wait()
        return self._talking.popleft()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()):
            self._fault = fault

    async def _quiet(self) -> None:
        """Until all that was begun is over. Raises the fault of what went wrong meanwhile."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))
        if self._fault is not None:
            raise self._fault


async def _obey(client: Client, order: dict[str, Any]) -> dict[str, Any]:
    client.cycles, client.latencies = 0, []
    began = time.monotonic()
    match order:
        case {"do": "fill", "waiting": waiting}:
            await client.fill(waiting)
        case {"do": "closed", "cycle": cycle, "seconds": seconds, "width": width}:
            await client.closed(getattr(client, cycle), seconds, width)
        case {"do": "open", "cycle": cycle, "seconds": seconds, "rate": rate}:
            await client.open_loop(getattr(client, cycle), seconds, rate)
    return {
        "cycles": client.cycles,
        "seconds": time.monotonic() - began,
        "latencies": client.latencies,
        "talking": client.talking,
    }


async def _serve(url: str, name: str) -> None:
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    client = Client(url, name)
    await client.open()
    try:
        while order := await orders.readline():
            answer = await _obey(client, orjson.loads(order))
            sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE))
            sys.stdout.flush()
    finally:
        await client.close()


if __name__ == "__main__":
    uvloop.run(_serve(*sys.argv[1:]))
