"""One ordered, auto-pipelined line to Redis.

A call's path asks Redis half a dozen times. Replies are matched to waiters by order, and one watchdog serves every
deadline instead of one timer a command: 10 µs of CPU an awaited command under uvloop (redis-py's client takes 52 to
77).
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from engine.beat import until_beat_s
from engine.redis_line.finding import Finder
from engine.redis_line.wire import Argument, Command, LineDown, Rarely, Sink, Wire, pack, settle

log = structlog.get_logger("redis")

# Between two attempts to connect: the first, doubled up to the longest. A connection that served this long was a good
# one, and the attempt after it is made at once.
_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5
_STEADY_S = 1.0


class RedisLine:
    """One ordered, auto-pipelined line to the Redis that serves a routing domain.

    Commands are sent at once and in the order they were issued; whoever awaits one may be cancelled without
    un-sending it. While the connection is away, commands gather (at most `backlog`) and go out when it is back. A
    waiter is told `LineDown` after `deadline_s` seconds without an answer, or as soon as the connection is lost. A
    command that was under way at that moment is not sent again: it may have run.

    A server that refuses to run commands (a demoted master, one that still loads, a cluster's node that has handed
    our slot on: `_REFUSALS` in wire.py) is left, and whoever serves us now is looked for. What was refused has not
    run: it goes out again, first and in order.
    """

    def __init__(
        self,
        url: str,
        *,
        domain: str = "default",
        deadline_s: float = 2.0,
        backlog: int = 20_000,
        on_back: Callable[[], None] | None = None,
    ) -> None:
        """The URL is one of `EXAMPLES` in url.py; in a cluster the line stays with the node that serves `domain`.

        `on_back` is called when the line is connected again after it was not: perhaps to another Redis, which after a
        failover lacks the last writes, or to one that came back empty. What has gathered was sent before. It must
        not block. Raises BadRedisUrl, a ValueError.
        """
        self.url = url
        self.domain = domain
        self.deadline_s = deadline_s
        self.connections = 0  # so far: another server may be behind the next one
        self._finder = Finder(url, domain=domain, deadline_s=deadline_s)
        self._limit = backlog
        self._on_back = on_back
        self._gathered: deque[Command] = deque()
        self._connection: Wire | None = None  # the one that is ours to close
        self._wire: Wire | None = None  # the same while commands may be sent on it
        self._fault = ""
        self._keeper: asyncio.Task[None] | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._dropped = Rarely("redis.post_dropped")

    async def open(self) -> None:
        """Connects, and from then on reconnects by itself. Raises LineDown if Redis cannot be reached now."""
        if self._keeper is not None:
            return
        self._loop = asyncio.get_running_loop()
        wire = await self._finder.connect()
        self._use(wire)
        self._keeper = self._loop.create_task(self._keep_connected(wire), name="redis-line")
        self._watch()

    async def close(self, *, drain: bool = True) -> None:
        """Waits for what is under way (at most `deadline_s`), then hangs up. Later calls raise LineDown.

        Without `drain` it hangs up at once: for a line that stands in a blocking command.
        """
        if self._keeper is None:
            return
        keeper, self._keeper = self._keeper, None
        if drain and self._wire is not None and self._wire.pending:
            try:
                await asyncio.wait_for(self._send(("PING",)), self.deadline_s)
            except (LineDown, TimeoutError) as fault:
                log.warning("redis.closed_with_unanswered_commands", error=str(fault))
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        if self._watchdog is not None:
            self._watchdog.cancel()
        wire, self._connection, self._wire = self._connection, None, None
        if wire is not None:
            wire.close()
            await asyncio.wait([wire.lost], timeout=self.deadline_s)
        if self._gathered:
            log.error("redis.closed_with_unsent_commands", count=len(self._gathered))
        while self._gathered:
            settle(self._gathered.popleft(), LineDown("the line was closed; the command was not sent"))

    async def call(self, *command: Argument, sink: Sink | None = None) -> Any:
        """The reply (strings decoded as UTF-8). `sink` sees it first, even when the awaiter was cancelled.

        Raises LineDown, or redis.ResponseError for an error reply.
        """
        if self._keeper is None:
            raise LineDown("the line is not open")
        return await self._send(command, sink)

    def post(self, *command: Argument) -> None:
        """Sends in the same order as calls; nobody waits for the reply. Faults are logged, rate-limited.

        Dropped, and logged, when the backlog is full; lost when the connection breaks while it is under way.
        """
        if self._keeper is None or self._full():
            self._dropped.report(command=str(command[0]))
            return
        now = self._loop.time()
        self._issue(Command(pack(command), None, None, now, now))

    def flush(self) -> None:
        """Sends at once what was posted: for what must not be lost if the process dies the next moment."""
        if self._wire is not None:
            self._wire.flush()

    def _send(self, command: Sequence[Argument], sink: Sink | None = None) -> asyncio.Future[Any]:
        if self._full():
            raise LineDown(f"{self._limit} commands are already waiting for Redis")
        loop = self._loop
        future: asyncio.Future[Any] = loop.create_future()
        now = loop.time()
        self._issue(Command(pack(command), future, sink, now, now))
        return future

    def _full(self) -> bool:
        # What was refused and comes back goes on top of that: as many again, at the most.
        return len(self._gathered if self._wire is None else self._wire.pending) >= self._limit

    def _issue(self, command: Command) -> None:
        if self._wire is not None:
            self._wire.send(command)
        else:
            self._gathered.append(command)

    def _use(self, wire: Wire) -> None:
        self._connection = wire
        if wire.lost.done():
            return
        self.connections += 1
        wire.owner = self._over
        self._wire = wire
        if self._gathered:
            now = self._loop.time()
            wire.send_all([command._replace(sent=now) for command in self._gathered])
            self._gathered.clear()

    def _over(self, wire: Wire) -> None:
        # At once, not when the keeper wakes: a command written to a lost connection would never be answered.
        if self._wire is wire:
            self._wire = None
            self._fault = wire.fault
            log.warning("redis.line_down", server=wire.server, why=wire.fault)
        self._gathered.extendleft(reversed(wire.returned))

    async def _keep_connected(self, wire: Wire) -> None:
        pauses = _Pauses()
        while True:
            up_since = self._loop.time()
            await asyncio.shield(wire.lost)
            if self._loop.time() - up_since >= _STEADY_S:
                pauses.start_over()
            else:
                await pauses.rest()
            wire = await self._reconnect(pauses)
            self._use(wire)
            log.info("redis.line_up", server=wire.server)
            self._tell_back()

    async def _reconnect(self, pauses: _Pauses) -> Wire:
        while True:
            try:
                return await self._finder.connect()
            except LineDown as fault:
                self._fault = str(fault)
                log.debug("redis.reconnect_failed", error=self._fault)
            except Exception:  # nothing else starts the keeper again
                log.exception("redis.reconnect_failed")
            await pauses.rest()

    def _tell_back(self) -> None:
        if self._on_back is not None:
            try:
                self._on_back()
            except Exception:  # the line must outlive a fault of whoever listens
                log.exception("redis.on_back_failed")

    def _watch(self) -> None:
        """Replies come in order, so the oldest command speaks for all: one timer instead of one a command."""
        self._watchdog = self._loop.call_later(until_beat_s(self.deadline_s / 4), self._watch)
        overdue = self._loop.time() - self.deadline_s
        if self._wire is not None:
            if self._wire.pending and self._wire.pending[0].sent <= overdue:
                log.error("redis.no_answer", deadline_s=self.deadline_s, waiting=len(self._wire.pending))
                self._wire.abort()
        elif self._gathered and self._gathered[0].asked <= overdue:
            self._expire(overdue)

    def _expire(self, overdue: float) -> None:
        """Takes back what was never run and whose waiter has waited long enough; posts stay."""
        kept: deque[Command] = deque()
        for command in self._gathered:
            if command.future is None or command.future.cancelled() or command.asked > overdue:
                kept.append(command)
            else:
                settle(command, LineDown(f"Redis does not serve us, the command was not sent ({self._fault})"))
        self._gathered = kept


class _Pauses:
    """Between attempts to connect: at first hardly any, then ever longer ones."""

    def __init__(self) -> None:
        self._next_s = _PAUSE_S

    def start_over(self) -> None:
        self._next_s = _PAUSE_S

    async def rest(self) -> None:
        # Jitter, so that many engines do not fall on a restarted Redis at the same instant.
        await asyncio.sleep(self._next_s * random.uniform(0.7, 1.3))  # noqa: S311
        self._next_s = min(self._next_s * 2, _LONGEST_PAUSE_S)
