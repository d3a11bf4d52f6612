"""What a waiting caller is told between the music: which keys there are, their place and how long it will take, and
never anything worse than what they were told before."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.acd.estimate import Estimate, estimate
from engine.acd.states import Figures
from engine.call.record import Announced
from engine.config.queues import Announce
from engine.journal.events import ItemAnnounced
from engine.redis_line import LineDown
from engine.speech.waits import Wait, spoken

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

# The place of whoever has heard the first word, and no place.
UNPLACED = 1_000_000


class Announcer:
    """One caller's announcements in one queue. What they were told last is kept with their place, in Redis, and in the
    call's record for the next place, so that neither a missed offer, a restart of the engine, another queue nor an
    emptied Redis makes anybody hear it again."""

    def __init__(self, call: InboundCall, announce: Announce, *, has_keys: bool) -> None:
        """`has_keys`: there are keys that lead somewhere."""
        self._call, self._announce = call, announce
        self._keys = [announce.keys] if announce.keys and has_keys else []
        # By the monotonic clock.
        self.next_at = 0.0
        self._keys_at: float | None = None  # None before the first word

    def begin(self) -> None:
        """The first word is due at once."""
        self.next_at = time.monotonic()

    async def words(self) -> list[str]:
        """The prompts to play now; none when there is nothing new and better to say than before, and the keys were told
        not long ago."""
        self.next_at = time.monotonic() + self._announce.every
        try:
            figures = await self._call.board.acd.figures(self._call.item)
            if figures is None or figures.position < 1:
                return []
            return await self._news(figures)
        except LineDown:  # Redis comes back with the place; only the news of it is late
            return []

    async def _news(self, figures: Figures) -> list[str]:
        call, position, said = self._call, figures.position, figures.said_place
        place, reckoned = self._place(figures), self._reckoned(figures)
        wait = self._wait(figures, reckoned)
        keys = self._keys_now()
        words = [*(["all-agents-busy"] if not said else []), *place, *([wait.prompt] if wait else []), *keys]
        if not words:
            return []
        low_ms, high_ms = (wait.low_ms, wait.high_ms) if wait else (0, 0)
        told = position if self._announce.position else UNPLACED
        told = min(told, said or told)
        # Before it is heard: whoever dies in between had better say it never than twice.
        await call.board.acd.said(
            call.item, told, low_ms=low_ms, high_ms=high_ms, likely_ms=reckoned.likely_ms if reckoned else 0
        )
        self._remember(told, wait, keys)
        if place or wait:
            call.note(ItemAnnounced, position=position if place else 0, low_ms=low_ms, high_ms=high_ms)
        return words

    def _remember(self, place: int, wait: Wait | None, keys: list[str]) -> None:
        """For the next queue, and for whoever takes the call over."""
        call = self._call
        said = replace(call.record.announced or Announced(), place=place)
        if wait:
            said = replace(said, by_ms=call.now_ms() + wait.high_ms, wait=wait.prompt)
        call.record.announced = replace(said, keys=keys[0]) if keys else said
        call.save()

    def _keys_now(self) -> list[str]:
        """Their prompt, when it is due: not at once, if another queue has said it, or an engine that has died."""
        now, said = time.monotonic(), self._call.record.announced
        if self._keys_at is None and said is not None and [said.keys] == self._keys:
            self._keys_at = now + self._announce.keys_every
        if self._keys_at is not None and now < self._keys_at:
            return []
        self._keys_at = now + self._announce.keys_every
        return self._keys

    def _place(self, figures: Figures) -> list[str]:
        """Its prompt; none when it is no better, or sounds the same."""
        if not self._announce.position:
            return []
        said, position = figures.said_place, figures.position
        words = self._number(position)
        if said in (0, UNPLACED):
            return words
        return [] if position >= said or words == self._number(said) else words

    def _number(self, position: int) -> list[str]:
        return self._call.site.sounds.number(position, self._call.leg.language)

    def _reckoned(self, figures: Figures) -> Estimate | None:
        return estimate(figures) if self._announce.wait else None

    def _wait(self, figures: Figures, reckoned: Estimate | None) -> Wait | None:
        """Its sentence; None when nobody can tell, or an answer would be expected no sooner than was said before."""
        wait = spoken(reckoned.low_ms, reckoned.high_ms) if reckoned else None
        if wait is None or (figures.said_ms is not None and wait.high_ms >= figures.said_ms):
            return None
        # “More than ten minutes” has no end to be heard: it may be sooner than it was, and is the same to the caller.
        said = self._call.record.announced
        return wait if said is None or wait.prompt != said.wait else None
