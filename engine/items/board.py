"""The items of one engine: into the queues, to the agents' programs, and to their end.

The ACD keeps an item, with its data, in Redis: it outlives the engine. What is kept here is who is being told of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from engine.acd import TO_QUEUE, Acd, Cancelled, ItemState, Missed, Notice, Offer, Placement, Released
from engine.chores import Chores
from engine.config import policies
from engine.config.site import Site
from engine.items.again import Again, Agains
from engine.items.desk import Desk, Desks, Ringing
from engine.items.item import Item, item_of
from engine.items.presence import Presence
from engine.items.serving import policy_of
from engine.journal.events import Event, ItemAdded, ItemEnded
from engine.orders import StandingOrders
from engine.redis_line import LineDown, RedisLine, each, surely

log = structlog.get_logger()

MOST_ITEMS = 10_000
# In a queue that a reload has removed: its last items are served all the same.
REMOVED_RING_S = 20.0
# For so long nobody else is offered what is to be found at somebody's hand in a moment.
HELD_MS = 60_000
# Out of the line for a moment, and so past whatever would refuse a newcomer.
PUT_BACK_MS = 1
LOST = "redis_lost_it"
QUEUE_REMOVED = "queue_removed"
OVER = "there is no offer {} any more: it was not taken in time, or was taken back"


class NotThere(LookupError):  # noqa: N818 - reads like UnknownAgent and its kin
    """No item of this id waits, or is at somebody's hand."""


class NotThisItem(Exception):  # noqa: N818 - said to whoever asks
    """It cannot be done with the item as it is now; the message says why."""


class TooMany(Exception):  # noqa: N818 - said to whoever asks
    """More items than an engine keeps."""


class Board:
    """All items of this engine that have not ended, and the desks of the agents who may get them."""

    def __init__(
        self,
        acd: Acd,
        line: RedisLine,
        *,
        engine: str,
        note: Callable[[Event], None],
        site: Callable[[], Site],
        orders: StandingOrders,
    ) -> None:
        self._acd, self._note, self._site, self._orders = acd, note, site, orders
        self._agains = Agains(line, engine)
        self._items: dict[str, Item] = {}
        self.desks = Desks()
        self._going: dict[str, asyncio.Task[str]] = {}  # items on their way into a queue again
        self._chores = Chores("items")
        self.presence = Presence(acd, self.desks, self._chores.begin)

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._items

    def items(self) -> list[Item]:
        """Those that have not ended, the first added first."""
        return sorted(self._items.values(), key=lambda item: item.id)

    def item(self, item_id: str) -> Item:
        """Raises NotThere."""
        try:
            return self._items[item_id]
        except KeyError:
            raise NotThere(f"no item {item_id} waits, and nobody has it at hand; `hotline items` lists them") from None

    # What is asked of it. -----------------------------------------------------------------------------------

    async def add(self, item: Item) -> Placement:
        """Into its queue. Raises TooMany, LineDown; then it is not there, and nobody gets it."""
        if len(self._items) >= MOST_ITEMS:
            raise TooMany(f"{MOST_ITEMS} items are there already: complete or withdraw some before you add more")
        self._items[item.id] = item
        self._note(
            ItemAdded(item.id, item.added_ms, queue=item.queue, what=item.type, subject=item.subject, by=item.by)
        )
        try:
            placement = await self._enqueue(item)
        except LineDown:
            self._chores.begin(self._never_added(item))
            raise
        if placement.refused:
            self._end(item.id)
        return placement

    async def _never_added(self, item: Item) -> None:
        """It may have come into the queue before Redis went away."""
        await surely(lambda: self._acd.withdraw(item.id, "not_added"))
        self._end(item.id)

    async def accept(self, token: str) -> Item:
        """An agent takes what they are offered. Raises NotThisItem when it is not theirs any more, LineDown."""
        ringing = self._offer(token)
        taken = await self._acd.accept(token)
        self.desks.stop(token)
        if not taken:
            raise NotThisItem(OVER.format(token))
        item = self._items.get(ringing.item.id, ringing.item)
        self.desks.hold(item, ringing.offer.agent)
        return item

    async def reject(self, token: str) -> None:
        """They do not want it: it goes to somebody else. Raises NotThisItem, LineDown."""
        if not await self._missed(self._offer(token), Missed.REJECTED):
            raise NotThisItem(OVER.format(token))

    def _offer(self, token: str) -> Ringing:
        ringing = self.desks.ringing(token)
        if ringing is None:
            raise NotThisItem(OVER.format(token))
        return ringing

    async def complete(self, item_id: str) -> None:
        """It is done, and its agent wraps up. Raises NotThere, NotThisItem, LineDown."""
        self.item(item_id)
        if not await self._acd.leave(item_id, reason="completed"):
            raise NotThisItem(f"nobody has accepted {item_id} yet; withdraw it if nobody needs to any more")
        self._end(item_id)

    async def defer(self, item_id: str, ms: int, reason: str) -> None:
        """Out of everybody's sight for so long. A waiting item keeps its place; one that an agent has at hand comes
        back as if it came then, first of all to them. Raises NotThere, NotThisItem, LineDown."""
        item, agent = self.item(item_id), self.desks.holder(item_id)
        if not agent:
            if not await self._acd.defer(item_id, ms, reason, closes_in_ms=self._closes_in_ms(item, ms)):
                raise NotThisItem(f"{item_id} has just been accepted, or has ended")
            self.desks.stop_all(item_id)
            return
        again = Again(item, _now_ms() + ms, preferred=agent)
        self._agains.note(again)
        if not await self._acd.leave(item_id, reason="deferred"):
            self._agains.forget(item_id)
            raise NotThisItem(f"nobody has {item_id} at hand any more")
        self.desks.clear(item_id)
        if why := await asyncio.shield(self._go_again(again)):
            raise NotThisItem(f"{item.queue} does not take it again ({why.replace('_', ' ')}): it has ended")

    async def move(self, item_id: str, queue: str, *, by: str) -> None:
        """Into another queue, at the place that its age gives it there. Raises NotThere, NotThisItem, LineDown."""
        item = self.item(item_id)
        state = await self._acd.item(item_id)
        came_ms = state.enqueued_ms if state else item.added_ms
        self._agains.note(Again(replace(item, queue=queue), came_ms, back=item.queue))
        if not await self._acd.release(item_id, "moved", target=TO_QUEUE + queue, actor=by):
            self._agains.forget(item_id)
            raise NotThisItem(f"{item_id} has just been accepted, or has ended")
        if (going := self._going.get(item_id)) and (why := await asyncio.shield(going)):
            where = f"it waits in {item.queue} again" if item_id in self._items else "it has ended"
            raise NotThisItem(f"{queue} does not take it ({why.replace('_', ' ')}): {where}")

    async def withdraw(self, item_id: str, reason: str, *, by: str) -> None:
        """Nobody needs to take it any more. Raises NotThere, NotThisItem, LineDown."""
        self.item(item_id)
        if not await self._acd.release(item_id, reason, actor=by):
            raise NotThisItem(f"{self.desks.holder(item_id) or 'somebody'} has {item_id} at hand: complete it")

    def shown(self, desk: Desk) -> None:
        """A program has been told of what its agent is offered: as good as a phone that rings."""
        for token, ringing in desk.offers.items():
            if not ringing.shown:
                ringing.shown = True
                self._chores.begin(self._rings(token))

    async def _rings(self, token: str) -> None:
        try:
            await self._acd.ringing(token)
        except LineDown:  # only the news of it is lost
            log.warning("item.ringing_not_told", token=token)

    # What the ACD tells. ------------------------------------------------------------------------------------

    def noticed(self, notice: Notice) -> None:
        """Of one of our items."""
        match notice:
            case Offer():
                self._offered(notice)
            case Cancelled():
                self.desks.stop(notice.token)
            case Released():
                self._released(notice)

    def _offered(self, offer: Offer) -> None:
        item = self._items.get(offer.item)
        if item is None:  # an engine before this one made it, and nobody has told us of it yet
            self._chores.begin(self._found(offer.item))
            return
        self._ring(item, offer)

    async def _found(self, item_id: str) -> None:
        state = await surely(lambda: self._acd.item(item_id))
        if state is not None:
            await self._take_up(state)

    def _ring(self, item: Item, offer: Offer) -> None:
        """Until the queue's ring is over; the ACD's lease is longer."""
        queue = self._site().queues.get(item.queue)
        ring_s = queue.ring if queue is not None else REMOVED_RING_S
        self.desks.ring(offer, item, ring_s, lambda: self._chores.begin(self._not_answered(offer.token)))

    async def _not_answered(self, token: str) -> None:
        ringing = self.desks.ringing(token)
        if ringing is None:
            return
        try:
            if not await self._missed(ringing, Missed.NO_ANSWER):  # Redis knows better than we do
                await self._found(ringing.item.id)
        except LineDown:  # the lease ends it
            self.desks.stop(token)

    async def _missed(self, ringing: Ringing, why: Missed) -> bool:
        token = ringing.offer.token
        missed = await self._acd.miss(token, why, ring_ms=_now_ms() - ringing.since_ms)
        self.desks.stop(token)
        return missed

    def _released(self, released: Released) -> None:
        again = self._agains.noted(released.item)
        if again is not None and released.queue == again.item.queue:
            again = replace(again, head_start_ms=released.head_start_ms, strict=released.strict)
            self._agains.note(again)
            self.desks.clear(released.item)
            self._go_again(again)
        else:
            self._end(released.item)

    def _end(self, item_id: str) -> None:
        self.desks.clear(item_id)
        self._items.pop(item_id, None)

    # Into a queue, and again. -------------------------------------------------------------------------------

    async def _enqueue(
        self,
        item: Item,
        *,
        came_ms: int = 0,
        preferred: str = "",
        head_start_ms: int = 0,
        strict: int = 0,
        hold_ms: int = 0,
    ) -> Placement:
        """`came_ms`: since when it counts as waiting; a moment to come: put off until then, or for `hold_ms`
        milliseconds. Raises LineDown."""
        site, now_ms = self._site(), _now_ms()
        came_ms = came_ms or now_ms
        hold_ms = max(came_ms - now_ms, hold_ms)
        placement = await self._acd.enqueue(
            item.id,
            queue=item.queue,
            policy=policy_of(item.queue, site),
            type=item.type,
            data=item.text,
            head_start_ms=head_start_ms,
            strict=strict,
            waited_ms=now_ms - came_ms,
            preferred=preferred,
            closes_in_ms=self._closes_in_ms(item, hold_ms),
            hold_ms=hold_ms,
        )
        for offer in placement.offers:
            self._ring(item, offer)
        return placement

    def _closes_in_ms(self, item: Item, hold_ms: int) -> int | None:
        """Until its queue closes on it: for what comes now perhaps at once, for what comes back not before it is
        there."""
        site, now = self._site(), _now()
        queue = site.queues.get(item.queue)
        if queue is None:
            return None
        if not hold_ms:
            return policies.closes_in_ms(queue, site, self._orders, now)
        closes_ms = policies.next_closing_ms(queue, site, self._orders, now + timedelta(milliseconds=hold_ms))
        return hold_ms + closes_ms if closes_ms else None

    def _go_again(self, again: Again) -> asyncio.Task[str]:
        """Why its queue refused the item; "" when it is there. Whoever waits for it may stop waiting."""
        task = self._chores.begin(self._again(again))
        self._going[again.item.id] = task
        return task

    async def _again(self, again: Again) -> str:
        refused = await self._into(again, again.item.queue)
        if refused and (not again.back or await self._into(again, again.back)):
            self._has_no_queue(again.item, again.back or again.item.queue)
        self._going.pop(again.item.id, None)
        self._agains.forget(again.item.id)
        return refused

    async def _into(self, again: Again, queue: str) -> str:
        """As a newcomer if it is moved; as one of those who wait there if it has been in this queue before."""
        if queue not in self._site().queues:  # a reload has taken it away
            return "unknown"
        is_new = again.back not in ("", queue)
        item = self._items[again.item.id] = replace(again.item, queue=queue)
        placement = await surely(
            lambda: self._enqueue(
                item,
                came_ms=again.came_ms,
                preferred=again.preferred,
                head_start_ms=again.head_start_ms,
                strict=again.strict,
                hold_ms=0 if is_new else PUT_BACK_MS,
            )
        )
        return placement.refused

    # Life. --------------------------------------------------------------------------------------------------

    async def take_over(self, states: Sequence[ItemState]) -> None:
        """What an engine before this one left behind: `states` are the items among it, and perhaps some of ours."""
        left_behind = [state for state in states if state.id not in self._items]
        await self.presence.take_over()
        for state in sorted(left_behind, key=lambda state: state.id):
            await surely(partial(self._take_up, state))
        for again in await surely(self._agains.left_behind):
            if again.item.id in self._items:
                self._agains.forget(again.item.id)  # it never left, or has arrived
            else:
                self._go_again(again)

    async def _take_up(self, state: ItemState) -> None:
        """Offers go on, with a new ring: their agents are not to blame for anything."""
        try:
            item = self._items[state.id] = item_of(state)
        except (TypeError, ValueError, KeyError) as error:
            log.warning("item.unreadable", item=state.id, error=str(error))
            gone = self._acd.leave if state.state == "talking" else self._acd.withdraw
            await gone(state.id, reason="unreadable")
            return
        if state.state == "talking":
            self.desks.hold(item, state.agent)
        else:
            for offer in state.offers:
                self._ring(item, offer)

    async def again(self) -> None:
        """Puts back what Redis has lost of them, who came first first. Raises LineDown."""
        await self.presence.again()
        self._agains.note_again()
        await each([item for item in self.items() if item.id not in self._going], self._back)
        await self.site_changed()

    async def _back(self, item: Item) -> None:
        """Offers that Redis does not know are over. What was put off is not any more: only Redis knew until when."""
        holder, state = self.desks.holder(item.id), await self._acd.item(item.id)
        if self._items.get(item.id) is not item:
            return
        known = {offer.token for offer in state.offers} if state else set()
        for token in self.desks.tokens(item.id) - known:
            self.desks.stop(token)
        if state is not None and holder and state.state != "talking":
            await self._acd.withdraw(item.id, LOST)
            state = None
        if state is None:
            await self._put_back(item, holder)
        elif not holder:
            await self._take_up(state)

    async def _put_back(self, item: Item, holder: str) -> None:
        if item.queue not in self._site().queues:
            self._has_no_queue(item, item.queue)
            return
        await self._enqueue(item, came_ms=item.added_ms, hold_ms=HELD_MS if holder else PUT_BACK_MS)
        if holder and not await self._acd.restore(item.id, holder):
            self.desks.clear(item.id)  # a reload has removed its agent: it waits again
        if item.id not in self._items:  # it has ended meanwhile
            await self._acd.withdraw(item.id, LOST) or await self._acd.leave(item.id, reason=LOST)

    def _has_no_queue(self, item: Item, queue: str) -> None:
        """A reload has taken it away, and with it how its items are served."""
        log.warning("item.queue_removed", item=item.id, queue=queue)
        self._note(ItemEnded(item.id, _now_ms(), reason=QUEUE_REMOVED))
        self._end(item.id)

    async def site_changed(self) -> None:
        """A reload, or a restart, has brought another version of the queues: it holds for what waits, too. In a queue
        that is no more, items wait as they did. Raises LineDown."""
        site = self._site()
        waiting = [item for item in self.items() if item.queue in site.queues]
        now = {queue: policy_of(queue, site) for queue in {item.queue for item in waiting}}

        async def serve(item: Item) -> None:
            await self._acd.repolicy(item.id, now[item.queue])

        await each(waiting, serve)

    async def hours_changed(self) -> None:
        """An operator has decided about opening hours: it holds for what waits, too. Raises LineDown."""
        await each(self.items(), self._closes)

    async def _closes(self, item: Item) -> None:
        queue = self._site().queues.get(item.queue)
        if queue is not None:
            await self._acd.closes(item.id, policies.still_open_ms(queue, self._site(), self._orders, _now()))

    async def close(self) -> None:
        """Stops telling anybody. The items stay where they are."""
        self.desks.close()
        await self._chores.stop()


def _now() -> datetime:
    return datetime.now().astimezone()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
