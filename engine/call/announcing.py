"""What a waiting caller is told between the music: never worse than what they were told before."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from engine.config.queues import Announce
from engine.journal.events import ItemAnnounced
from engine.redis_line import LineDown

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall


class Announcer:
    """One caller's announcements in one queue."""

    def __init__(self, call: InboundCall, said: Announce) -> None:
        self._call, self._said = call, said
        self._best: int | None = None
        self.next_at = 0.0  # by the monotonic clock

    def begin(self) -> None:
        """The first word is due at once."""
        self.next_at = time.monotonic()

    async def words(self) -> list[str]:
        """The prompts to play now; none when there is nothing better to say than before."""
        call = self._call
        self.next_at = time.monotonic() + self._said.every
        try:
            position = await call.board.acd.position(call.record.id)
        except LineDown:  # Redis comes back with the place; only the news of it is late
            return []
        if position < 1 or (self._best is not None and position >= self._best):
            return []
        words = ["all-agents-busy"] if self._best is None else []
        self._best = position
        call.note(ItemAnnounced, position=position)
        return words + list(call.site.sounds.number(position, call.leg.language))
