"""A caller in a queue: music, position, and offers until an agent has answered."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from engine.acd import Offer
from engine.call.conversation import Conversation
from engine.call.offer import Answer, Ringing
from engine.call.phase import Phase
from engine.call.place import Place
from engine.flow.claim import requirement
from engine.flow.leg import NO_KEY
from engine.flow.steps import ToQueue
from engine.journal.events import ItemAnnounced
from engine.redis_line import LineDown

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall


class Waiting:
    """The wait in one queue: whoever misses an offer, the next is awaited."""

    def __init__(self, call: InboundCall, to: ToQueue) -> None:
        self._call, self._to = call, to
        self._settings = call.site.queues[to.queue]
        self._place = Place(call, self._settings, requirement(to, call.site, call.record.variables))
        self._until = 0.0
        self._best_said: int | None = None

    async def conversation(self) -> Conversation | str:
        """Both can talk, or the outcome. Raises AriError, LineDown; HungUp comes from the call's scope."""
        call, record = self._call, self._call.record
        record.queue = self._to.queue
        if record.phase is Phase.FLOW:  # a successor goes on waiting
            record.go(Phase.WAITING)
        while (answer := await self._answered()) is not None:
            conversation = await call.connected(answer)
            if conversation is not None:
                return conversation
        return "timed_out"

    async def _answered(self) -> Answer | None:
        """The answered leg of an agent; None when the longest wait is over."""
        call, record = self._call, self._call.record
        self._until = time.monotonic() + self._settings.max_wait
        self._best_said = None
        waited_s = 0.0
        if record.queued_ms is not None:  # back after a restart, or after an agent who was gone at once
            waited_s = (call.now_ms() - record.queued_ms) / 1000
        offer = await self._place.take(waited_s=waited_s)
        while True:
            offer = offer or await self._next_offer()
            if offer is None:
                return None
            outcome = await Ringing(call, offer).answered()
            if isinstance(outcome, Answer):
                return outcome
            offer = None

    async def _next_offer(self) -> Offer | None:
        """The next offer for this caller; None when the longest wait is over."""
        next_word = time.monotonic() if self._settings.announce_position is not None else self._until
        while True:
            await self._call.leg.hold_music(True, self._call.music)
            left_s = min(next_word, self._until) - time.monotonic()
            if left_s > 0:
                offer = await self._place.offer(left_s)
            elif time.monotonic() >= self._until:
                await self._place.give_up("timed_out")
                return None
            else:
                offer = await self._say_position()
                next_word = time.monotonic() + (self._settings.announce_position or self._settings.max_wait)
            if offer is not None:
                return offer

    async def _say_position(self) -> Offer | None:
        """Says how many are in front, never a worse place than was said before; an offer cuts it short."""
        call = self._call
        try:
            position = await call.board.acd.position(call.record.id)
        except LineDown:  # Redis comes back with the place; only the news of it is late
            return None
        if position < 1 or (self._best_said is not None and position >= self._best_said):
            return None
        words = ["all-agents-busy"] if self._best_said is None else []
        words += call.site.sounds.number(position, call.leg.language)
        self._best_said = position
        call.note(ItemAnnounced, position=position)
        speaking = asyncio.ensure_future(call.say(words, stops=NO_KEY))
        coming = asyncio.ensure_future(call.offers.get())
        try:
            await asyncio.wait({speaking, coming}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            offer = coming.result() if coming.done() and not coming.cancelled() else None
            for task in (speaking, coming):
                task.cancel()
            await asyncio.wait({speaking, coming})
        return offer
