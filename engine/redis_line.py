"""One ordered, auto-pipelined line to Redis.

A call's path asks Redis half a dozen times, so what a command costs in Python matters more than what it costs
in Redis. The line therefore is an `asyncio.Protocol` on the socket itself: packing and parsing are done by
hiredis in C, replies are matched to waiters by order, and one watchdog serves every deadline instead of one
timer a command (10 µs of CPU an awaited command under uvloop; redis-py's client takes 52 to 77).
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import hiredis
import structlog
from redis.asyncio.connection import SSLConnection, parse_url
from redis.exceptions import ResponseError

log = structlog.get_logger("redis")

Argument = str | bytes | int
Sink = Callable[[Any], None]

# Answers of a server that is there but cannot serve: for whoever asked it is the same as no answer.
_NOT_SERVING = ("LOADING", "READONLY", "MASTERDOWN", "BUSY ", "CLUSTERDOWN")
_NOTHING = object()
# How long a post may wait for company, in seconds.
POSTS_HELD_S = 0.1


class LineDown(Exception):  # noqa: N818 - the state of the line, in the field's words
    """Redis did not answer in time or is gone. The command may have run, unless the text says otherwise."""


class _Waiter(NamedTuple):
    future: asyncio.Future[Any] | None
    sink: Sink | None
    since: float


def _error_reply(message: str) -> Exception:
    return LineDown(message) if message.startswith(_NOT_SERVING) else ResponseError(message)


def _pack(command: Sequence[Argument]) -> bytes:
    packed: bytes = hiredis.pack_command(tuple(command))  # type: ignore[arg-type]  # its stub names a 1-tuple
    return packed


class _Wire(asyncio.Protocol):
    """One connection: writes go straight out, replies come back in the order of the commands."""

    def __init__(self, on_lost: Callable[[_Wire], None]) -> None:
        self.pending: deque[_Waiter] = deque()
        self.transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held: list[bytes] = []
        self._flushing: asyncio.TimerHandle | None = None
        self._on_lost = on_lost
        self._reader = hiredis.Reader(
            replyError=_error_reply, encoding="utf-8", errors="surrogateescape", notEnoughData=_NOTHING
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def send(self, packed: bytes, waiter: _Waiter) -> None:
        """In order. What nobody waits for is held back for a moment and leaves with whatever comes next:
        a write costs more here, and a wake-up more in Redis, than the command itself."""
        self.pending.append(waiter)
        self._held.append(packed)
        if waiter.future is not None:
            self.flush()
        elif self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(POSTS_HELD_S, self.flush)

    def flush(self) -> None:
        """Writes what is held back."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        if self._held and self.transport is not None:
            self.transport.write(b"".join(self._held))
            self._held.clear()

    def data_received(self, data: bytes) -> None:
        reader, pending = self._reader, self.pending
        try:
            reader.feed(data)
            while (reply := reader.gets()) is not _NOTHING:
                _settle(pending.popleft(), reply)
        except (hiredis.ProtocolError, IndexError):
            log.exception("redis.protocol_error")
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
        self._on_lost(self)
        cause = LineDown(f"the connection to Redis was lost: {exc or 'closed by the server'}")
        unanswered = sum(waiter.future is None for waiter in self.pending)
        if unanswered:
            log.warning("redis.posts_unanswered", count=unanswered)
        while self.pending:
            _settle(self.pending.popleft(), cause)
        if not self.lost.done():
            self.lost.set_result(None)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


def _settle(waiter: _Waiter, reply: Any) -> None:
    failed = isinstance(reply, Exception)
    if waiter.sink is not None and not failed:
        try:
            waiter.sink(reply)
        except Exception:  # the line must outlive a fault of whoever listens
            log.exception("redis.sink_failed")
    future = waiter.future
    if future is None:
        if failed and not isinstance(reply, LineDown):
            _rejected_posts.report(error=str(reply))
    elif not future.done():
        if failed:
            future.set_exception(reply)
        else:
            future.set_result(reply)


class _Rarely:
    """Logs the first occurrence, then at most one line every ten seconds with how many there were."""

    def __init__(self, event: str) -> None:
        self._event, self._count, self._next = event, 0, 0.0

    def report(self, **fields: Any) -> None:
        self._count += 1
        now = asyncio.get_running_loop().time()
        if now >= self._next:
            log.error(self._event, count=self._count, **fields)
            self._count, self._next = 0, now + 10.0


_rejected_posts = _Rarely("redis.post_failed")


class RedisLine:
    """One ordered, auto-pipelined line to Redis.

    Commands are sent at once and in the order they were issued; whoever awaits one may be cancelled without
    un-sending it. While the connection is away, commands gather (at most `backlog`) and go out when it is
    back. A waiter is told `LineDown` after `deadline_s` seconds without an answer, or as soon as the
    connection is lost. A command that was under way at that moment is not sent again: it may have run.
    """

    def __init__(self, url: str, *, deadline_s: float = 2.0, backlog: int = 20_000) -> None:
        """`unix:///path/redis.sock?db=0`, `redis://[user:password@]host:port/0` or `rediss://…` for TLS.

        Raises ValueError for any other URL.
        """
        self.url = url
        self.deadline_s = deadline_s
        self._target = parse_url(url)
        self._limit = backlog
        self._gathered: deque[tuple[bytes, _Waiter]] = deque()
        self._wire: _Wire | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._dropped = _Rarely("redis.post_dropped")

    async def open(self) -> None:
        """Connects, and from then on reconnects by itself. Raises LineDown if Redis cannot be reached now."""
        if self._keeper is not None:
            return
        self._loop = asyncio.get_running_loop()
        wire = await self._connect()
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
        wire, self._wire = self._wire, None
        if wire is not None and wire.transport is not None:
            wire.transport.close()
            await asyncio.wait([wire.lost], timeout=self.deadline_s)
        if self._gathered:
            log.error("redis.closed_with_unsent_commands", count=len(self._gathered))
        while self._gathered:
            _settle(self._gathered.popleft()[1], LineDown("the line was closed"))

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
        self._issue(command, _Waiter(None, None, self._loop.time()))

    def flush(self) -> None:
        """Sends at once what was posted: for what must not be lost if the process dies the next moment."""
        if self._wire is not None:
            self._wire.flush()

    def _send(self, command: Sequence[Argument], sink: Sink | None = None) -> asyncio.Future[Any]:
        if self._full():
            raise LineDown(f"{self._limit} commands are already waiting for Redis")
        loop = self._loop
        future: asyncio.Future[Any] = loop.create_future()
        self._issue(command, _Waiter(future, sink, loop.time()))
        return future

    def _full(self) -> bool:
        return len(self._gathered if self._wire is None else self._wire.pending) >= self._limit

    def _issue(self, command: Sequence[Argument], waiter: _Waiter) -> None:
        if self._wire is not None:
            self._wire.send(_pack(command), waiter)
        else:
            self._gathered.append((_pack(command), waiter))

    def _use(self, wire: _Wire) -> None:
        if wire.lost.done():
            return
        self._wire = wire
        while self._gathered:
            packed, waiter = self._gathered.popleft()
            wire.send(packed, waiter._replace(since=self._loop.time()))

    def _unuse(self, wire: _Wire) -> None:
        # At once, not when the keeper wakes: a command written to a lost connection would never be answered.
        if self._wire is wire:
            self._wire = None

    async def _keep_connected(self, wire: _Wire) -> None:
        while True:
            await asyncio.shield(wire.lost)
            log.warning("redis.line_down")
            wire = await self._reconnect()
            self._use(wire)
            log.info("redis.line_up")

    async def _reconnect(self) -> _Wire:
        pause = 0.02
        while True:
            try:
                return await self._connect()
            except LineDown as fault:
                log.debug("redis.reconnect_failed", error=str(fault), retry_s=pause)
            # Jitter, so that many engines do not fall on a restarted Redis at the same instant.
            await asyncio.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311
            pause = min(pause * 2, 1.0)

    async def _connect(self) -> _Wire:
        """A connection that has logged in and answered a PING. Raises LineDown."""
        wire = _Wire(self._unuse)
        try:
            async with asyncio.timeout(self.deadline_s):
                await self._dial(wire)
                for command in self._greeting():
                    reply: asyncio.Future[Any] = self._loop.create_future()
                    wire.send(_pack(command), _Waiter(reply, None, self._loop.time()))
                    await reply
        except BaseException as fault:
            wire.abort()
            if isinstance(fault, OSError | TimeoutError | ResponseError | LineDown):
                raise LineDown(f"Redis at {self._where()}: {fault or 'no answer'}") from fault
            raise
        return wire

    async def _dial(self, wire: _Wire) -> None:
        target = self._target
        if path := target.get("path"):
            await self._loop.create_unix_connection(lambda: wire, path)
            return
        tls = ssl.create_default_context() if target.get("connection_class") is SSLConnection else None
        await self._loop.create_connection(
            lambda: wire, target.get("host", "127.0.0.1"), target.get("port", 6379), ssl=tls
        )

    def _greeting(self) -> list[tuple[Argument, ...]]:
        target = self._target
        greeting: list[tuple[Argument, ...]] = []
        if password := target.get("password"):
            greeting.append(("AUTH", target.get("username") or "default", password))
        if database := int(target.get("db") or 0):
            greeting.append(("SELECT", database))
        return [*greeting, ("PING",)]

    def _where(self) -> str:
        target = self._target
        return target.get("path") or f"{target.get('host', '127.0.0.1')}:{target.get('port', 6379)}"

    def _watch(self) -> None:
        """Replies come in order, so the oldest command speaks for all: one timer instead of one a command."""
        self._watchdog = self._loop.call_later(self.deadline_s / 4, self._watch)
        overdue = self._loop.time() - self.deadline_s
        if self._wire is not None:
            if self._wire.pending and self._wire.pending[0].since <= overdue:
                log.error("redis.no_answer", deadline_s=self.deadline_s, waiting=len(self._wire.pending))
                self._wire.abort()
        elif self._gathered and self._gathered[0][1].since <= overdue:
            self._expire(overdue)

    def _expire(self, overdue: float) -> None:
        """Takes back what was never sent and whose waiter has waited long enough; posts stay."""
        kept: deque[tuple[bytes, _Waiter]] = deque()
        for packed, waiter in self._gathered:
            if waiter.future is None or waiter.future.cancelled() or waiter.since > overdue:
                kept.append((packed, waiter))
            else:
                _settle(waiter, LineDown("Redis is unreachable; the command was not sent"))
        self._gathered = kept
