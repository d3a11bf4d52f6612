"""A caller's place in line: the ACD keeps it, and offers agents to the call that has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from engine.acd import Placement, Policy
from engine.redis_line import LineDown

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

log = structlog.get_logger()

REDIS_AGAIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Terms:
    """How one caller waits in a queue: its policy, and what is theirs alone (Acd.enqueue)."""

    policy: Policy
    head_start_ms: int = 0
    strict: int = 0
    served_within_ms: int = 0
    preferred: str = ""
    patience_ms: int = 0
    exclude: Mapping[str, int] = field(default_factory=dict)
    who: str = ""
    closes_in_ms: int | None = None
    replaces: str = ""


class Place:
    """One stay in line. An agent who misses an offer puts the caller back at their place, until it is given up."""

    def __init__(self, call: InboundCall, terms: Terms) -> None:
        self._call, self.terms = call, terms

    async def take(self) -> Placement:
        """Takes the place, or finds it again: it counts from when the caller first came to a queue, or
        whoever had it before them. While Redis is away the caller hears music, and is queued when it returns;
        `timed_out` if that takes longer than they may wait."""
        call = self._call
        patience_s = self.terms.policy.max_wait_ms / 1000
        began = time.monotonic()
        while True:
            try:
                await call.out_of_line()
                return await self._enqueue()
            except LineDown as fault:
                if patience_s and time.monotonic() - began > patience_s:
                    call.leaves_line("timed_out")  # Redis may have heard what it did not answer
                    return Placement(0, refused="timed_out")
                log.warning("place.redis_away", call=call.record.id, error=str(fault))
                await call.leg.hold_music(True, call.music)
                await asyncio.sleep(REDIS_AGAIN_S)

    async def put_back(self, *, hold_ms: int = 0) -> Placement:
        """As `take`, once; out of the line for `hold_ms` milliseconds. Raises LineDown."""
        return await self._enqueue(hold_ms)

    async def _enqueue(self, hold_ms: int = 0) -> Placement:
        call, record, terms = self._call, self._call.record, self.terms
        said = record.announced
        placement = await call.board.acd.enqueue(
            call.item,
            queue=record.queue,
            policy=terms.policy,
            head_start_ms=terms.head_start_ms,
            strict=terms.strict,
            served_within_ms=terms.served_within_ms,
            waited_ms=call.now_ms() - record.placed_ms if record.placed_ms else 0,
            preferred=terms.preferred,
            patience_ms=terms.patience_ms,
            exclude=terms.exclude,
            who=terms.who,
            replaces=terms.replaces,
            closes_in_ms=terms.closes_in_ms,
            hold_ms=hold_ms,
            said_place=said.place if said else 0,
            said_in_ms=said.by_ms - call.now_ms() if said and said.by_ms else None,
        )
        record.queued_ms = record.queued_ms or call.now_ms()
        if placement.waited_ms:
            record.inherited_ms = call.now_ms() - placement.waited_ms
        if not placement.offers:  # an offer saves the record itself, once the phone rings
            call.board.records.save_now(record)
        return placement

    async def give_up(self, reason: str) -> bool:
        """False when somebody was first: an agent has accepted, or the wait was over already; that is told, or was.
        Raises LineDown."""
        if not await self._call.board.acd.withdraw(self._call.item, reason):
            return False
        self._call.notices.drop()
        return True
