"""A caller's place in line: the ACD keeps it, and offers an agent to the call that has it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.acd import Offer, Policy, Step
from engine.config.models import Queue

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

# The ACD takes a lapsed offer back by itself; longer than any ring, so that it only does so for a dead engine.
LEASE_MARGIN_S = 15.0


class Place:
    """One stay in line. An agent who misses an offer puts the caller back at their place, until it is given up."""

    def __init__(self, call: InboundCall, settings: Queue, requirement: str) -> None:
        self._call = call
        self._policy = Policy(
            steps=(Step(0, requirement),),
            lease_ms=round((settings.ring + LEASE_MARGIN_S) * 1000),
            wrapup_ms=round(settings.wrap_up * 1000),
        )

    async def take(self, *, waited_s: float = 0.0) -> Offer | None:
        """Takes the place, or finds it again; the offer, if somebody is free at once. Raises LineDown.

        `waited_s`: how long the caller has been in line before, in seconds; it counts beside their head start.
        """
        call, record = self._call, self._call.record
        placement = await call.board.acd.enqueue(
            record.id,
            queue=record.queue,
            policy=self._policy,
            head_start_ms=round(record.head_start_s * 1000),
            waited_ms=round(waited_s * 1000),
        )
        record.queued_ms = record.queued_ms or call.now_ms()
        if placement.offer is None:  # an offer saves the record itself, once the phone rings
            call.board.records.save_now(record)
        return placement.offer

    async def offer(self, timeout_s: float) -> Offer | None:
        """The next offer; None when none has come in `timeout_s` seconds."""
        try:
            return await asyncio.wait_for(self._call.offers.get(), timeout_s)
        except TimeoutError:
            return None

    async def give_up(self, reason: str) -> None:
        """An offer may come at this very moment: withdrawing decides who was first. Raises LineDown."""
        await self._call.board.acd.withdraw(self._call.record.id, reason)
        while not self._call.offers.empty():
            self._call.offers.get_nowait()
