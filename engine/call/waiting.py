"""A caller in line: music, word of their place, phones that ring, until an agent has answered or the wait is over.

Whatever may end the wait (an agent who answers, a key, a limit, closing time, a supervisor, the caller's hang-up) is
one step on the item in the ACD, and the first to come wins. Here only what was decided is carried out, in its order.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.acd import Cancelled, Missed, Offer, Released, Sooner
from engine.call.announcing import Announcer
from engine.call.conversation import Conversation
from engine.call.offer import Answer
from engine.call.phase import Phase
from engine.call.place import Place, Terms
from engine.call.ringers import Ringers
from engine.flow.leg import NO_KEY
from engine.redis_line import LineDown

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

# Whoever should have been told by then that their wait is over is not waited for: Redis was away too long.
LATE_S = 15.0


class Waiting:
    """One stay in one line."""

    def __init__(
        self,
        call: InboundCall,
        terms: Terms,
        *,
        ring_s: float,
        keys: Mapping[str, str] | None = None,
        announcer: Announcer | None = None,
    ) -> None:
        """`keys`: what the caller may press meanwhile, and the outcome that it is."""
        self._call = call
        self._place = Place(call, terms)
        self._keys, self._announcer = keys or {}, announcer
        self._ringers = Ringers(call, ring_s)
        self._speech: asyncio.Task[Any] | None = None
        self._key: asyncio.Task[str] | None = None
        longest_s = terms.policy.max_wait_ms / 1000
        self._latest = time.monotonic() + longest_s + ring_s + LATE_S if longest_s else None

    async def conversation(self) -> Conversation | str:
        """Both can talk, or the outcome. Raises AriError, LineDown; HungUp comes from the call's scope."""
        call, record = self._call, self._call.record
        if record.phase is Phase.FLOW:  # a successor goes on waiting
            record.go(Phase.WAITING)
            if not record.callback:  # which is in line already
                call.notices.drop()  # what has come late is about a place that was left before
        while True:
            outcome = await self._answered()
            if isinstance(outcome, str):
                return outcome
            if await call.connected(outcome):
                return outcome
            if (over := await self._after(Missed.DUMPED)) is not None:
                return over

    async def _answered(self) -> Conversation | str:
        call = self._call
        if (over := self._told_already()) is not None:
            return over
        placement = await self._place.take()
        if placement.refused:
            return self._over(placement.refused)
        call.wait = self
        try:
            for offer in placement.offers:
                self._ringers.ring(offer)
            if self._announcer is not None:
                self._announcer.begin()
            if self._keys:
                call.leg.digits.drop()  # what was typed ahead was meant for the menus before
                self._key = asyncio.ensure_future(self._pressed())
            while True:
                if self._speech is None:
                    # Behind the INVITE, and with it: no dead air while the phone rings.
                    await call.leg.hold_music(True, call.music)
                await self._something()
                outcome = await self._decided()
                if outcome is not None:
                    return outcome
        finally:
            await self._stop()

    def _told_already(self) -> str | None:
        """The outcome, if the ACD has ended the wait while nobody listened: as an agent dumped the call, or before a
        successor was there. To take the place again would be to stand in line anew; whatever else was told is repeated
        then."""
        while (notice := self._call.notices.take()) is not None:
            if isinstance(notice, Released):
                return self._released(notice)
        return None

    def ringing(self) -> list[Offer]:
        """The offers for which a phone rings."""
        return self._ringers.offers

    async def _something(self) -> None:
        """Until there is news, or it is time to say or to do something."""
        waits: list[asyncio.Future[Any]] = [self._call.notices.arrived(), *self._ringers.tasks]
        waits += [task for task in (self._speech, self._key) if task is not None]
        due = None
        if not self._ringers:
            word_at = self._announcer.next_at if self._announcer is not None and self._speech is None else None
            due = min((at for at in (self._latest, word_at) if at is not None), default=None)
        timeout = None if due is None else max(due - time.monotonic(), 0.0)
        await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)

    async def _decided(self) -> Conversation | str | None:
        """Carries out what has been decided; the conversation or the outcome, if that was it."""
        for ended in self._ringers.ended():
            if isinstance(ended, Answer):
                conversation = self._call.answered_by(ended)  # before the caller can leave: somebody must end that leg
                await self._ringers.silence("answered_elsewhere")
                return conversation
            if (over := await self._after(ended)) is not None:
                return over
        while (notice := self._call.notices.take()) is not None:
            if isinstance(notice, Released):
                return self._released(notice)
            await self._heed(notice)
        if self._key is not None and self._key.done():
            return await self._leave_by(self._key.result())
        if self._latest is not None and time.monotonic() >= self._latest and not self._ringers:
            return await self._give_up_on_redis()
        await self._speak()
        return None

    async def _heed(self, notice: Offer | Sooner | Cancelled) -> None:
        match notice:
            case Offer():
                self._ringers.ring(notice)
            case Sooner():
                self._ringers.free_in(notice.token, notice.free_in_ms)
            case Cancelled():
                await self._ringers.stop(notice.token)

    def _released(self, notice: Released) -> str:
        call = self._call
        call.moved_to = notice.queue
        call.record.head_start_s, call.record.strict = notice.head_start_ms / 1000, notice.strict
        return self._over(notice.reason)

    def _over(self, reason: str) -> str:
        """The outcome of a wait that the ACD has refused or ended."""
        return reason

    async def _after(self, _: Missed) -> str | None:
        """An agent has missed an offer: the outcome if that was the end, None to wait on at the same place."""
        return None

    async def _leave_by(self, key: str) -> str | None:
        """An agent may be answering at this very moment: withdrawing decides who was first."""
        outcome = self._keys[key]
        self._key = asyncio.ensure_future(self._pressed())
        try:
            return outcome if await self._place.give_up(f"key_{outcome}") else None
        except LineDown:
            return None  # the caller presses again when nothing happens

    async def _give_up_on_redis(self) -> str:
        self._latest = None
        await self._leave("timed_out")
        return self._over("timed_out")

    async def _leave(self, reason: str) -> None:
        """Gives the place up, now or when Redis is back."""
        try:
            await self._place.give_up(reason)
        except LineDown:
            self._call.leaves_line(reason)

    # What the caller hears and presses.

    async def _speak(self) -> None:
        if self._speech is not None:
            if not self._speech.done():
                return
            self._speech = None
        announcer = self._announcer
        if announcer is None or self._ringers or time.monotonic() < announcer.next_at:
            return
        words = await announcer.words()
        if words:
            self._speech = asyncio.ensure_future(self._call.say(words, stops=NO_KEY))
            self._speech.add_done_callback(_nobody_minds)

    async def _pressed(self) -> str:
        while True:
            key = await self._call.leg.digit(3600.0)
            if key is not None and key in self._keys:
                return key

    async def _stop(self) -> None:
        """Whatever ends the wait, nothing of it goes on."""
        self._call.wait = None
        self._call.notices.drop()  # whatever is there concerns a place that was given up
        await self._ringers.silence()
        tasks = [task for task in (self._speech, self._key) if task is not None]
        self._speech = self._key = None
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


def _nobody_minds(speech: asyncio.Task[Any]) -> None:
    """A caller who has left meanwhile is told to the wait by the call's scope."""
    if not speech.cancelled():
        speech.exception()
