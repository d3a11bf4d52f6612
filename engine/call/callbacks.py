"""All callbacks of this engine: into their queues at the place that they have, tried when an agent is free, and to
their end.

Each is an item of the ACD that waits as a call does, under an id that its queue and number make: so there is one of
them, whoever asks. What is known of it lies in the database; Redis has the place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial

import structlog

from engine.acd import TO_QUEUE, ItemState, Missed, Notice, Offer, Released
from engine.asterisk.ari import AriError
from engine.call.callback_call import CallbackCall
from engine.call.calling_back import ALL_LINES_TAKEN, Failed, Try
from engine.call.calls import Calls
from engine.call.open_callbacks import OpenCallbacks
from engine.call.record import CallRecord, now_ms
from engine.call.switchboard import Switchboard
from engine.callbacks import Callback, State
from engine.callbacks.rows import Rows
from engine.chores import Chores
from engine.config.dialling import Way
from engine.config.queues import CallingBack
from engine.journal.events import (
    CallbackAnswered,
    CallbackDialled,
    CallbackFailed,
    CallbackMoved,
)
from engine.redis_line import LineDown, surely
from engine.store.database import Database, DatabaseDown
from engine.store.rows import EndReason

log = structlog.get_logger()

# What is in the database and not in Redis is put back once it was missed twice: another engine may just be about to say
# that it is done.
LOOK_S = 30.0
# Before the next try when it was not the customer's doing that there was none.
NOT_NOW_MS = 15_000
# Whoever asks is still on the phone; a moment after they have left, they can be called.
STILL_ON_MS = 1_000
TOO_OLD = "too_old"
# Offers that were put off because the database knows nothing of it: it never will.
NEVER_AFTER = 100


class NotMoved(Exception):  # noqa: N818 - said to whoever asks
    """A callback stays in its queue; the message says why."""


class Callbacks:
    """Those that are open, and the tries under way."""

    def __init__(
        self, board: Switchboard, calls: Calls, database: Database, *, clock: Callable[[], int] = now_ms
    ) -> None:
        self._board, self._calls, self._now_ms = board, calls, clock
        self.rows = Rows(database)
        self._open = OpenCallbacks(board, self.rows, clock)
        self._tries: dict[str, Try] = {}
        self._missed: set[str] = set()
        self._chores = Chores("callbacks")
        self._draining = False

    def ask(self, callback: Callback) -> None:
        """Somebody wants to be called back. In a queue without `callbacks` that is for people to do."""
        if self._open.settings(callback) is not None and callback.item not in self._open:
            self._open[callback.item] = callback
            self._chores.begin(self._place(callback, first=True))

    # Into the queue. ----------------------------------------------------------------------------------------

    async def _place(self, callback: Callback, *, first: bool = False, strict: int = 0) -> None:
        """At the place that its wait gives it. Asked for again, it stays where it is: at its first owner's."""
        settings = self._open.settings(callback)
        if settings is None:
            return
        acd, now = self._board.acd, self._now_ms()
        put_off_ms = max(self._open.opens_in_ms(callback, now), round(settings.delay * 1000) if first else 0)
        placed = callback.become(State.WAITING, now) if callback.state is not State.WAITING else callback
        placed = self._open[callback.item] = replace(placed, next_ms=max(placed.next_ms, now + put_off_ms))
        policy = self._open.policy(placed)
        placement = await surely(
            lambda: acd.enqueue(
                placed.item,
                queue=placed.queue,
                policy=policy,
                type="callback",
                data=placed.id,
                head_start_ms=placed.head_start_ms,
                strict=strict,
                waited_ms=max(self._now_ms() - placed.placed_ms, 0),
                hold_ms=max(placed.next_ms - self._now_ms(), 0),
            )
        )
        state = await surely(lambda: acd.item(placed.item))
        if self._open.get(placed.item) is placed:
            if state is not None and state.data != placed.id:
                del self._open[placed.item]
            else:
                self.rows.write(placed)
        for offer in placement.offers:
            self.noticed(offer)

    # What the ACD tells. ------------------------------------------------------------------------------------

    def noticed(self, notice: Notice) -> None:
        """Of one of our callbacks."""
        item = notice.item
        if isinstance(notice, Released):
            self._released(notice)
        if item in self._calls:
            self._calls.noticed(notice)
        elif item in self._tries:
            self._tries[item].call.notices.put(notice)
        elif isinstance(notice, Offer):
            self._chores.begin(self._offered(notice))

    def _released(self, released: Released) -> None:
        callback = self._open.get(released.item)
        if callback is None or callback.is_closed:
            return
        if not released.queue:
            how = {"replaced": State.MERGED, "done": State.DONE}.get(released.reason, State.CANCELLED)
            self._open.close(callback, how, released.reason)
        elif released.item not in self._calls:  # whoever is on the line moves as every caller does
            self._moved(callback, released)

    def _moved(self, callback: Callback, released: Released) -> None:
        """It is another item there: there is one for a number and a queue."""
        moved = replace(callback, queue=released.queue, head_start_ms=released.head_start_ms)
        if self._open.settings(moved) is None:  # a reload has just taken its `callbacks` away
            moved = callback
        del self._open[callback.item]
        self._open[moved.item] = moved
        self._open.note(CallbackMoved, moved, queue=moved.queue, came_from=callback.queue)
        self._chores.begin(self._place(moved, strict=released.strict))

    async def _offered(self, offer: Offer) -> None:
        item, acd = offer.item, self._board.acd
        callback = self._open.get(item) or await self._found(item)
        if callback is None or self._draining:
            await surely(lambda: acd.defer(item, NOT_NOW_MS, "not_now"))
        elif self._open.settings(callback) is None:
            await self._left_to_people(item)
        elif self._open.too_old(callback, self._now_ms()):
            await self._expire(callback)
        elif not_now_ms := self._not_now_ms(callback):
            await surely(lambda: acd.defer(item, not_now_ms, "not_now"))
        elif item not in self._tries:
            await self._try(callback, offer)

    async def _left_to_people(self, item: str) -> None:
        """A reload has taken its queue's `callbacks` away."""
        await surely(lambda: self._board.acd.withdraw(item, "by_hand"))
        self._open.become(item, State.REQUESTED)
        self._open.pop(item, None)

    def _not_now_ms(self, callback: Callback) -> int:
        """Until whoever asks has hung up, and until it is time to call people."""
        return STILL_ON_MS if callback.call_id in self._calls else self._open.opens_in_ms(callback, self._now_ms())

    async def _found(self, item: str) -> Callback | None:
        """One that an engine before this one has left in Redis; None while the database does not say, or when nobody
        needs to be called any more."""
        state = await surely(lambda: self._board.acd.item(item))
        try:
            callback = await self.rows.one(state.data) if state is not None else None
        except DatabaseDown:
            return None
        if state is None or callback is None:
            if state is not None and state.attempt > NEVER_AFTER:
                await surely(lambda: self._board.acd.withdraw(item, "unknown"))
            return None
        if callback.is_closed or callback.state is State.BRIDGED:
            await surely(lambda: self._board.acd.withdraw(item, "closed"))
            return None
        if callback.queue != state.queue:  # it was moved, and its engine has died before the database knew
            callback = replace(callback, queue=state.queue)
            self.rows.write(callback)
        return self._open.setdefault(item, self._open.in_line(callback))

    # One try. -----------------------------------------------------------------------------------------------

    async def _try(self, callback: Callback, offer: Offer) -> None:
        item = callback.item
        one = self._tries[item] = Try(self._board, callback, offer, self._board.site.queues[callback.queue])
        outcome: CallbackCall | Failed | None = Failed("system_failure")
        try:
            outcome = await one.run()
        except AriError as fault:
            log.warning("callback.asterisk_away", item=item, error=str(fault))
        finally:
            del self._tries[item]
        if isinstance(outcome, Failed):
            await self._failed(item, outcome)
        elif outcome is not None:
            self._calls.begin(outcome)
        else:
            await self._not_tried(item, one)

    async def _not_tried(self, item: str, one: Try) -> None:
        """Whoever the ACD has reserved meanwhile is tried next. If Redis has lost the place while a phone rang, there
        will be nobody: it is put back."""
        while (notice := one.call.notices.take()) is not None:
            self.noticed(notice)
        lost = await surely(lambda: self._board.acd.item(item)) is None
        if lost and (callback := self._open.get(item)) is not None:
            await self._place(callback)

    def dialling(self, item: str, agent: str, way: Way) -> None:
        """The customer's phone is being called: a try, from now on."""
        callback = self._open.become(item, State.DIALLING)
        if callback is not None:
            self._open.note(
                CallbackDialled,
                callback,
                agent=agent,
                number=callback.number,
                trunk=way.trunk,
                attempt=callback.attempts,
            )

    def answered(self, record: CallRecord, ring_ms: int) -> None:
        """By the customer, or by a mailbox of theirs: it is a call."""
        callback = self._open.get(record.item)
        if callback is not None:
            self._open.note(CallbackAnswered, callback, answered_by=record.id, ring_ms=ring_ms)

    def confirmed(self, record: CallRecord) -> None:
        """It is the customer."""
        self._open.become(record.item, State.CONFIRMED)

    def bridged(self, record: CallRecord) -> None:
        """They talk with an agent: nobody will call them again."""
        self._open.become(record.item, State.BRIDGED)

    async def over(self, record: CallRecord, reason: EndReason) -> None:
        """The call has ended, with a conversation or without one."""
        item, acd = record.item, self._board.acd
        callback = self._open.get(item)
        if record.connected_ms or callback is None:
            await surely(lambda: _out(acd.leave(item, reason=reason), acd.withdraw, item, reason))
            if callback is not None:
                self._open.close(callback, State.DONE)
        else:
            await self._failed(item, Failed(str(reason)))

    async def _failed(self, item: str, failed: Failed) -> None:
        """Again after the gap, or never. The agent who was reserved is free, and is charged with nothing."""
        callback = self._open.get(item)
        if callback is None:
            return
        settings, now = self._open.settings(callback) or CallingBack(), self._now_ms()
        if failed.reason == ALL_LINES_TAKEN:
            await self._put_off(callback, NOT_NOW_MS, failed.reason)
            return
        gap_ms = round(settings.gap * 1000)
        again_ms = now + gap_ms + self._open.opens_in_ms(callback, now + gap_ms)
        given_up = callback.attempts >= settings.tries or self._open.too_old(callback, again_ms)
        self._open.note(
            CallbackFailed,
            callback,
            reason=failed.reason,
            attempt=callback.attempts,
            again_ms=0 if given_up else again_ms,
            cause=failed.end.cause or None,
            tech_cause=failed.end.tech_cause,
        )
        if given_up:
            acd = self._board.acd
            self._open.close(callback, State.FAILED, failed.reason)
            await surely(lambda: _out(acd.withdraw(item, failed.reason), acd.leave, item, failed.reason))
        else:
            waiting = callback.become(State.WAITING, now, reason=failed.reason, next_ms=again_ms)
            self._open.keep(waiting)
            await self._put_off(waiting, again_ms - now, failed.reason)

    async def _put_off(self, callback: Callback, ms: int, reason: str) -> None:
        """It keeps its place."""
        item, acd = callback.item, self._board.acd
        if await surely(lambda: acd.defer(item, ms, reason)):
            await surely(lambda: self._serve(callback))  # a reload may have come while it was tried
        else:
            # An agent had been accepted, or the customer has waited in vain: the item has gone with the call.
            await surely(lambda: acd.leave(item, reason=reason))
            await self._place(replace(callback, next_ms=self._now_ms() + ms))

    # By hand, and its end. ----------------------------------------------------------------------------------

    def __contains__(self, item: str) -> bool:
        return item in self._open

    def items(self) -> list[str]:
        """What the ACD knows those by that are open."""
        return list(self._open)

    async def move(self, item: str, queue: str, *, by: str) -> None:
        """To another queue, where it waits since the same moment. Raises NotMoved, LineDown, DatabaseDown."""
        callback = self._open[item]
        moved = replace(callback, queue=queue)
        if self._open.settings(moved) is None:
            raise NotMoved(f"{queue} calls nobody back: it has no `callbacks` in dialplan/queues.yaml")
        if moved.item in self._open or await self.rows.is_open(queue, callback.number):
            raise NotMoved(f"{callback.number} is to be called back by {queue} already")
        if not await self._board.acd.release(item, "moved", target=TO_QUEUE + queue, actor=by):
            raise NotMoved(f"{item} waits in no queue now: `hotline explain {item}` says where it is")

    def closed_by_hand(self, item: str, how: str, by: str) -> None:
        """Somebody has closed its row: nobody is called any more. A conversation goes on."""
        self._open.pop(item, None)
        self._chores.begin(self._release(item, how, by))

    async def _release(self, item: str, how: str, by: str) -> None:
        await surely(lambda: self._board.acd.release(item, how, actor=by))

    # Life. --------------------------------------------------------------------------------------------------

    async def take_over(self, states: Sequence[ItemState]) -> None:
        """What an engine before this one has left in Redis, and no call of ours goes on with. Its agents are not to
        blame for anything, and who was being called is called again."""
        for state in states:
            if state.id in self._tries:  # of ours: Redis was away for so long
                continue
            if state.state == "talking":
                await surely(partial(self._board.acd.leave, state.id, reason="engine_restarted"))
            for offer in state.offers if state.state == "offered" else ():
                await surely(partial(self._board.acd.miss, offer.token, Missed.FAILED, ring_ms=0))
            await self._found(state.id)

    async def goes_on(self, record: CallRecord) -> None:
        """A call of an engine before this one, which is one of ours now."""
        try:
            callback = await self.rows.one(record.callback)
        except DatabaseDown:  # it is looked for again when the call is over
            return
        if callback is not None and not callback.is_closed:
            self._open[record.item] = callback

    async def again(self) -> None:
        """Redis has been emptied: everybody gets their place back. Raises LineDown."""
        for callback in list(self._open.values()):
            if self._waits(callback):
                await self._place(callback)
        await self.site_changed()

    async def site_changed(self) -> None:
        """A reload, or a restart, has brought another version of the queues: it holds for whoever waits, too. A call
        keeps the version that it began with. Raises LineDown."""
        for callback in list(self._open.values()):
            if callback.item not in self._calls:
                await self._serve(callback)

    async def _serve(self, callback: Callback) -> None:
        """As its queue is now. Raises LineDown."""
        if self._open.settings(callback) is not None:
            await self._board.acd.repolicy(callback.item, self._open.policy(callback))
        elif callback.state is State.WAITING and callback.item not in self._tries:
            await self._left_to_people(callback.item)

    def _waits(self, callback: Callback) -> bool:
        """Still, and nobody is being called for it at this moment."""
        item = callback.item
        return self._open.get(item) is callback and item not in self._tries and item not in self._calls

    async def run(self) -> None:
        """Looks now and then whether one is open that nobody sees to, and writes down how far they have got."""
        writing = asyncio.ensure_future(self.rows.run())
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                try:
                    await self.look()
                except (DatabaseDown, LineDown) as fault:
                    log.warning("callback.not_looked", error=str(fault))
        finally:
            writing.cancel()
            await asyncio.wait([writing])

    async def look(self) -> None:
        """Gives up those that nobody expects any more. Puts those back that are open in the database and unknown to
        Redis: it was emptied while nobody watched, the queue has had no `callbacks` before, or their engine died
        between two steps. Raises DatabaseDown, LineDown."""
        for callback in list(self._open.values()):
            if self._waits(callback) and self._open.too_old(callback, self._now_ms()):
                await self._expire(callback)
        missed_before, self._missed = self._missed, set()
        ours = {callback.id for callback in self._open.values()}
        for callback in await self.rows.open_ones():
            known = callback.id in ours or callback.item in self._open or callback.id in self.rows
            if known or self._open.settings(callback) is None or await self._board.acd.item(callback.item) is not None:
                continue
            if callback.id not in missed_before:
                self._missed.add(callback.id)
            elif callback.state is State.BRIDGED:  # its call has ended with an engine
                self._open.close(callback, State.DONE)
            elif self._open.too_old(callback, self._now_ms()):
                self._open.close(callback, State.FAILED, TOO_OLD)
            else:
                await self._place(self._open.in_line(callback))

    async def _expire(self, callback: Callback) -> None:
        """Nobody expects it any more."""
        self._open.close(callback, State.FAILED, TOO_OLD)
        await surely(lambda: self._board.acd.withdraw(callback.item, TOO_OLD))

    def drain(self) -> None:
        """Begins no further try."""
        self._draining = True

    async def close(self) -> None:
        """Ends the tries under way, and writes the last word of each callback. They stay where they are."""
        self._draining = True
        await self._chores.stop()
        await self.rows.flush()


async def _out(first: Awaitable[bool], then: Callable[..., Awaitable[bool]], item: str, reason: str) -> bool:
    """Out of the ACD, whether an agent has accepted it or not."""
    return await first or await then(item, reason=reason)
