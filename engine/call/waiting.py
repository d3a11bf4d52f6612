"""A caller in a queue: music, position, and offers until an agent has answered."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from engine.acd import Offer
from engine.call.offer import Answer, Ringing
from engine.flow.claim import requirement
from engine.flow.leg import NO_KEY
from engine.flow.steps import ToQueue
from engine.journal.events import ItemAnnounced
from engine.redis_line import LineDown

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

# The ACD takes a lapsed offer back by itself; longer than any ring, so that it only does so for a dead engine.
LEASE_MARGIN_S = 15.0


class Waiting:
    """One stay in one queue."""

    def __init__(self, call: InboundCall, destination: ToQueue) -> None:
        self._call = call
        self._destination = destination
        self._settings = call.queue_settings
        self._until = time.monotonic() + self._settings.max_wait
        self._best_said: int | None = None

    async def for_agent(self) -> Answer | None:
        """The answered leg of an agent; None when the longest wait is over. Raises AriError, LineDown."""
        call, settings = self._call, self._settings
        record = call.record
        head_start_s = record.head_start_s
        if record.queued_ms is not None:  # back after a restart, or after an agent who was gone at once
            head_start_s += (call.now_ms() - record.queued_ms) / 1000
        placement = await call.board.acd.enqueue(
            record.id,
            queue=self._destination.queue,
            requirement=requirement(self._destination, call.site, record.variables),
            head_start_ms=round(head_start_s * 1000),
            wrapup_ms=round(settings.wrap_up * 1000),
            lease_ms=round((settings.ring + LEASE_MARGIN_S) * 1000),
        )
        offer = placement.offer
        record.queued_ms = record.queued_ms or call.now_ms()
        if offer is None:  # an offer saves the record itself, once the phone rings
            call.board.records.save_now(record)
        while True:
            if offer is None:
                offer = await self._next_offer()
                if offer is None:
                    return None
            answer = await self._ring(offer)
            if answer is not None:
                return answer
            offer = None

    async def _ring(self, offer: Offer) -> Answer | None:
        call = self._call
        call.record.offers += 1
        call.record.agent = offer.agent
        answer = await Ringing(call, offer).answered()
        call.phone_rings = False  # not when a hang-up cuts this short: the caller then left a ringing phone
        return answer

    async def _next_offer(self) -> Offer | None:
        """The next offer for this caller; None when the longest wait is over."""
        next_word = time.monotonic() if self._settings.announce_position is not None else self._until
        while True:
            await self._call.leg.hold_music(True, self._call.music)
            left = min(next_word, self._until) - time.monotonic()
            if left > 0:
                try:
                    return await asyncio.wait_for(self._call.offers.get(), left)
                except TimeoutError:
                    continue
            if time.monotonic() >= self._until:
                # An offer may come at this very moment: withdrawing decides who was first.
                return await self._give_up()
            offer = await self._say_position()
            if offer is not None:
                return offer
            next_word = time.monotonic() + (self._settings.announce_position or self._settings.max_wait)

    async def _give_up(self) -> Offer | None:
        await self._call.board.acd.withdraw(self._call.record.id, "timed_out")
        while not self._call.offers.empty():
            self._call.offers.get_nowait()
        return None

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
