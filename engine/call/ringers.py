"""The phones that ring for one caller at this moment; mostly one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from engine.acd import Missed, Offer
from engine.call.offer import Answer, Ringing

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall


class Ringers:
    """Owns their legs, until somebody takes an answered one over from `ended()`."""

    def __init__(self, call: InboundCall, ring_s: float) -> None:
        self._call, self._ring_s = call, ring_s
        self._ringing: dict[str, tuple[Ringing, asyncio.Task[Answer | Missed | None]]] = {}
        self._rung: set[str] = set()

    def ring(self, offer: Offer) -> None:
        """One more; told of it twice, it rings once."""
        if offer.token not in self._rung:
            self._rung.add(offer.token)
            ringing = Ringing(self._call, offer, self._ring_s)
            self._ringing[offer.token] = (ringing, ringing.dial())

    def free_in(self, token: str, ms: int) -> None:
        """Whom it was to ring later, when they have wrapped up, it rings after so long."""
        if token in self._ringing:
            self._ringing[token][0].free_in(ms)

    def __bool__(self) -> bool:
        return bool(self._ringing)

    @property
    def offers(self) -> list[Offer]:
        """What they ring for."""
        return [ringing.offer for ringing, _ in self._ringing.values()]

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """Each is done when its phone was answered, or will not be."""
        return [task for _, task in self._ringing.values()]

    def ended(self) -> Iterator[Answer | Missed]:
        """What came of those that have ended, one after the other: whoever stops at one leaves the others where they
        are."""
        for token in [token for token, (_, task) in self._ringing.items() if task.done()]:
            result = self._ringing.pop(token)[1].result()
            if result is not None:
                yield result

    async def stop(self, token: str) -> None:
        """The ACD has taken this offer back."""
        if token in self._ringing:
            await self._hang_up([self._ringing.pop(token)])
            self._call.ringing.discard(token)

    async def silence(self, reason: str = "normal") -> None:
        """All of them stop."""
        ringing, self._ringing = list(self._ringing.values()), {}
        await self._hang_up(ringing, reason)

    async def _hang_up(
        self, ringing: list[tuple[Ringing, asyncio.Task[Answer | Missed | None]]], reason: str = "normal"
    ) -> None:
        for phone, task in ringing:
            task.cancel()
            phone.hang_up(reason)  # not in the task: one that has just answered is done, and one may not have begun
        if ringing:
            await asyncio.wait([task for _, task in ringing])
