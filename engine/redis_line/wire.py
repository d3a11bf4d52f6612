"""One connection to a Redis server: bytes out, replies back in the order of the commands.

What a command costs in Python matters here more than what it costs in Redis. So this is an `asyncio.Protocol` on the
socket itself; packing and parsing are done by hiredis in C.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import hiredis
import structlog
from redis.exceptions import ResponseError

log = structlog.get_logger("redis")

Argument = str | bytes | int
Sink = Callable[[Any], None]

# Answers of a server that has not run the command, and would not run ours now: the line looks for the one that does.
# BUSY is a script of somebody's, UNBLOCKED a blocking command whose master was demoted.
_REFUSALS = (
    *("MOVED ", "ASK ", "TRYAGAIN", "CLUSTERDOWN", "READONLY", "MASTERDOWN", "LOADING"),
    *("NOREPLICAS", "MISCONF", "BUSY ", "UNBLOCKED "),
)
_NOTHING = object()
# How long a post may wait for company, in seconds.
POSTS_HELD_S = 0.1
# How long the rest of a pipeline may take after its first refusal, in seconds.
_REFUSING_S = 1.0


class LineDown(Exception):  # noqa: N818 - the state of the line, in the field's words
    """Redis did not answer in time or is gone. The command may have run, unless the text says otherwise."""


class Refused(LineDown):
    """The server that we talk to does not serve us. The command has not run."""


class Command(NamedTuple):
    """One that was issued. `asked` and `sent` are seconds of the loop's clock."""

    packed: bytes
    future: asyncio.Future[Any] | None
    sink: Sink | None
    asked: float
    sent: float


def pack(command: Sequence[Argument]) -> bytes:
    """The command as Redis reads it."""
    packed: bytes = hiredis.pack_command(tuple(command))  # type: ignore[arg-type]  # its stub names a 1-tuple
    return packed


def _error_reply(message: str) -> Exception:
    if message.startswith(_REFUSALS):
        return Refused(message)
    # Full, and that will not change soon: for whoever asked it is the same as no answer.
    return LineDown(f"Redis is full: {message}") if message.startswith("OOM ") else ResponseError(message)


class Wire(asyncio.Protocol):
    """One connection.

    Without an `owner` a refusal is raised to whoever asked. An owner is called at the first refusal, from when on
    nothing may be sent here, and when the connection is gone; `returned` then holds, in their order, what was refused
    and what was not written yet. What was under way may have run, so its waiters are told LineDown.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self.pending: deque[Command] = deque()
        self.returned: list[Command] = []
        self.owner: Callable[[Wire], None] | None = None
        self.fault = ""
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._held: list[bytes] = []
        self._refused: list[Command] = []
        self._unsent: list[Command] = []
        self._flushing: asyncio.TimerHandle | None = None
        self._giving_up: asyncio.TimerHandle | None = None
        self._reader = hiredis.Reader(
            replyError=_error_reply, encoding="utf-8", errors="surrogateescape", notEnoughData=_NOTHING
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def leave_undecoded(self) -> None:
        """Replies are bytes from now on."""
        self._reader.set_encoding()

    def ask(self, *command: Argument) -> asyncio.Future[Any]:
        """Its reply; LineDown or redis.ResponseError as the future's exception."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        now = loop.time()
        self.send(Command(pack(command), future, None, now, now))
        return future

    def send(self, command: Command) -> None:
        """In order. What nobody waits for is held back for a moment and leaves with whatever comes next:
        a write costs more here, and a wake-up more in Redis, than the command itself."""
        self.pending.append(command)
        self._held.append(command.packed)
        if command.future is not None:
            self.flush()
        elif self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(POSTS_HELD_S, self.flush)

    def send_all(self, commands: Sequence[Command]) -> None:
        """In order, as one piece."""
        self.pending.extend(commands)
        self._held.extend(command.packed for command in commands)
        self.flush()

    def flush(self) -> None:
        """Writes what is held back."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        if self._held and self._transport is not None:
            self._transport.write(b"".join(self._held))
            self._held.clear()

    def data_received(self, data: bytes) -> None:
        reader, pending = self._reader, self.pending
        try:
            reader.feed(data)
            while (reply := reader.gets()) is not _NOTHING:
                command = pending.popleft()
                if isinstance(reply, Refused) and self.owner is not None:
                    self._take_back(command, reply)
                else:
                    settle(command, reply)
        except (hiredis.ProtocolError, IndexError):
            log.exception("redis.protocol_error")
            self.abort()
        if self._giving_up is not None and not pending:
            self.abort()

    def _take_back(self, command: Command, refusal: Refused) -> None:
        """Those behind it are on their way and are refused too, as a rule: their answers are awaited. (Commands
        about one key are either all refused or none, so what is sent again later is not overtaken.)"""
        self._refused.append(command)
        if self._giving_up is None and self.owner is not None:
            self.fault = str(refusal)
            self._hold_back()
            self._giving_up = asyncio.get_running_loop().call_later(_REFUSING_S, self.abort)
            self.owner(self)

    def _hold_back(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        self._unsent += reversed([self.pending.pop() for _ in self._held])
        self._held.clear()

    def connection_lost(self, exc: Exception | None) -> None:
        self._hold_back()
        if self._giving_up is not None:
            self._giving_up.cancel()
        self.fault = self.fault or str(exc or "closed by the server")
        cause = LineDown(f"the connection to Redis was lost: {self.fault}")
        posts = 0
        while self.pending:
            command = self.pending.popleft()
            if command.future is None:
                posts += 1
            else:
                settle(command, cause)
        if posts:
            log.warning("redis.posts_unanswered", count=posts)
        self.returned = self._refused + self._unsent
        if self.owner is not None:
            self.owner(self)
        if not self.lost.done():
            self.lost.set_result(None)

    def close(self) -> None:
        """Hangs up when what was sent is written."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Hangs up at once."""
        if self._transport is not None:
            self._transport.abort()


def settle(command: Command, reply: Any) -> None:
    """Gives the reply, or the fault, to whoever waits for it."""
    failed = isinstance(reply, Exception)
    if command.sink is not None and not failed:
        try:
            command.sink(reply)
        except Exception:  # the line must outlive a fault of whoever listens
            log.exception("redis.sink_failed")
    future = command.future
    if future is None:
        if failed:
            _failed_posts.report(error=str(reply))
    elif not future.done():
        if failed:
            future.set_exception(reply)
        else:
            future.set_result(reply)


class Rarely:
    """Logs the first occurrence, then at most one line every ten seconds with how many there were."""

    def __init__(self, event: str) -> None:
        self._event, self._count, self._next = event, 0, 0.0

    def report(self, **fields: Any) -> None:
        self._count += 1
        now = asyncio.get_running_loop().time()
        if now >= self._next:
            log.error(self._event, count=self._count, **fields)
            self._count, self._next = 0, now + 10.0


_failed_posts = Rarely("redis.post_failed")
