"""The way to the ACD's Redis functions, and back: verbs, notices, the tick, the mailbox."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import structlog
from redis.exceptions import ResponseError

from engine.acd.library import SHAPE, library, load
from engine.acd.states import Cancelled, Notice, Offer, Released, Sooner
from engine.redis_line import Argument, LineDown, RedisLine, Sink

log = structlog.get_logger("acd")

_LONGEST_SLEEP_S = 1.0  # between ticks: timers that other engines set are found at the latest after this
_MAILBOX_BLOCK_S = 5
_LETTERS = 100  # read at a time
_KINDS: dict[str, Callable[..., Notice]] = {
    "offer": Offer,
    "sooner": Sooner,
    "cancelled": Cancelled,
    "released": Released,
}


def notice(words: list[Any]) -> Notice:
    """As the Redis functions write it: its kind, then its fields."""
    return _KINDS[words[0]](*words[1:])


class Wire:
    """One routing domain, seen by one engine."""

    def __init__(
        self,
        line: RedisLine,
        *,
        domain: str = "default",
        engine: str,
        on_notice: Callable[[Notice], None],
        on_emptied: Callable[[], None] | None = None,
        clock: Callable[[], int] | None = None,
    ) -> None:
        """`on_notice` and `on_emptied` must not block. The latter is told, once, that Redis has lost what `define` told
        it; until it is told again, nothing new can be enqueued. `clock` (ms) replaces Redis' own clock: for tests and
        simulations with virtual time."""
        self._line = line
        self._engine = engine
        self._on_notice = on_notice
        self._on_emptied = on_emptied
        self._clock = clock
        self._domain = f"hotline:{{{domain}}}"
        self._key = f"{self._domain}:{SHAPE}"
        self._library = library()
        self._mail = RedisLine(line.url, domain=line.domain, deadline_s=_MAILBOX_BLOCK_S + 3.0)
        self._tasks: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._next_tick = 0.0
        self._life = ""  # Redis' own since it was last empty; "" until it knows the agents
        self._lost = False
        self.due_in_ms = -1  # when the earliest timer that the last verb set is due; -1 if it set none

    async def open(self) -> None:
        """Loads the function library, then ticks and reads the mailbox until closed."""
        await self.load()
        await self._mail.open()
        self._tasks = [
            asyncio.create_task(self._tick_on_time(), name="acd-tick"),
            asyncio.create_task(self._read_mailbox(), name="acd-mailbox"),
        ]

    async def load(self) -> None:
        """Puts the function library into Redis; `open` without the background."""
        await load(self._line)

    async def close(self) -> None:
        """Stops the background."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._mail.close(drain=False)

    async def tick(self) -> int:
        """Handles at most 100 due timers (leases, steps, limits, wrap-ups …). Returns how many."""
        reply = await self._ask("tick")
        handled, life, *faults = reply[0]
        for timer, fault in zip(faults[::2], faults[1::2], strict=True):
            log.error("acd.timer_failed", timer=timer, error=fault)
        self._look_at_life(life)
        return int(handled)

    def _look_at_life(self, life: str) -> None:
        """Another engine may have filled Redis again before we even noticed that it was empty."""
        if not self._life or life == self._life:
            return
        self._life, self._lost = "", True
        log.error("acd.redis_was_emptied", remedy="it is filled again from what the engines know")
        if self._on_emptied is not None:
            self._on_emptied()

    async def _tick_on_time(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._next_tick = loop.time() + _LONGEST_SLEEP_S
            try:
                await self.tick()
            except LineDown as fault:
                log.warning("acd.tick_failed", error=str(fault))
            except Exception:  # a fault in one timer must not stop all the others
                log.exception("acd.tick_failed")
                await asyncio.sleep(_LONGEST_SLEEP_S)
            while (pause := self._next_tick - loop.time()) > 0:
                self._wake.clear()
                try:
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
                except TimeoutError:
                    break

    async def _read_mailbox(self) -> None:
        mailbox = f"{self._key}:mailbox:{self._engine}"
        while True:
            try:
                letters = await self._mail.call("BLMPOP", _MAILBOX_BLOCK_S, 1, mailbox, "LEFT", "COUNT", _LETTERS)
                for letter in letters[1] if letters else ():
                    self._deliver(letter)
            except LineDown:
                await asyncio.sleep(0.2)
            except Exception:  # nothing else opens the mailbox again
                log.exception("acd.mailbox_failed")
                await asyncio.sleep(0.2)

    def _deliver(self, letter: str) -> None:
        try:
            self._on_notice(notice(orjson.loads(letter)))
        except Exception:  # one unreadable letter must not take those behind it along
            log.exception("acd.letter_lost")

    async def _done(self, verb: str, *arguments: Argument) -> bool:
        reply = await self._ask(verb, *arguments)
        return bool(reply[0])

    async def _ask(self, verb: str, *arguments: Argument, sink: Sink | None = None) -> Any:
        now = 0 if self._clock is None else self._clock()
        command = ("FCALL", self._library.function(verb), 1, self._domain, now, self._engine, *arguments)
        sink = sink or self._take_notices
        try:
            return await self._line.call(*command, sink=sink)
        except ResponseError as fault:
            if "Function not found" not in str(fault):
                raise
            log.warning("acd.library_missing", remedy="loading it again")
            await self.load()
            return await self._line.call(*command, sink=sink)

    def _take_notices(self, reply: Any) -> None:
        self._note_due(reply)
        for words in reply[2:]:
            self._on_notice(notice(words))

    def _note_due(self, reply: Any) -> None:
        self.due_in_ms = reply[1]
        if self.due_in_ms < 0 or not self._tasks:
            return
        # Redis counts whole milliseconds: one more, so that a timer is not met just before it is due.
        at = asyncio.get_running_loop().time() + (self.due_in_ms + 1) / 1000
        if at < self._next_tick:
            self._next_tick = at
            self._wake.set()
