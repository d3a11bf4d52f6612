"""Items and their offers: each verb is one FCALL, atomic in Redis.

Whatever notices a call brings about, for this item or any other of this engine, come back in its reply and go to
`on_notice` before the awaiting task wakes, even if that task was cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from engine.acd.offer import Missed
from engine.acd.policy import Policy
from engine.acd.staff import Staff
from engine.acd.states import Accuracy, Figures, ItemState, Offer, Placement, QueueState
from engine.acd.wire import notice
from engine.redis_line import LineDown

_UNKNOWN_POLICY = -1


class Items(Staff):
    """What waits, is offered, and is talked about. Every method raises LineDown when Redis does not answer."""

    async def enqueue(
        self,
        item: str,
        *,
        queue: str,
        policy: Policy,
        type: str = "call",  # noqa: A002 - the field's word
        data: str = "",
        head_start_ms: int = 0,
        strict: int = 0,
        served_within_ms: int = 0,
        waited_ms: int = 0,
        preferred: str = "",
        patience_ms: int = 0,
        exclude: Mapping[str, int] | None = None,
        who: str = "",
        replaces: str = "",
        closes_in_ms: int | None = None,
        hold_ms: int = 0,
        said_place: int = 0,
        said_in_ms: int | None = None,
    ) -> Placement:
        """Puts the item in line, or offers it at once when an agent is ready, or says why it may not wait here.

        Its own offers are in the Placement and not also given to `on_notice`. Idempotent by item id: repeated, it tells
        the same again. A task that is cancelled here must withdraw.

        `head_start_ms`, `strict`: its own, beside the policy's. `served_within_ms`: its own, or the policy's if that is
        less; 0 for none.
        `waited_ms`: counts as having come so long ago, in everything but the policy's longest wait, which begins now,
        or after `hold_ms`.
        `preferred`: first in choice; for `patience_ms` nobody else, while they are at work. `exclude`: agents who are
        not to have it for so many ms. `who`: a digest of a verified caller, who gets a place back that they abandoned
        lately. `replaces`: takes the place of that item. `closes_in_ms`: who still waits then is released, reason
        "closed". `hold_ms`: deferred at first. `said_place`, `said_in_ms`: what the caller was told last, where they
        waited before: their place, and how soon from now they expect somebody (less than 0: already).
        """
        asked: dict[str, Any] = {
            "type": type,
            "data": data,
            "who": who,
            "waited": waited_ms,
            "head_start": head_start_ms,
            "strict": strict,
            "served_within": served_within_ms,
            "preferred": preferred,
            "patience": patience_ms,
            "exclude": [word for pair in (exclude or {}).items() for word in pair],
            "replaces": replaces,
            "hold": hold_ms,
            "said_place": said_place,
        }
        asked = {"queue": queue, **{name: value for name, value in asked.items() if value}}
        if closes_in_ms is not None:
            asked["closes_in"] = max(closes_in_ms, 0)
        if said_in_ms is not None:
            asked["said_in"] = said_in_ms
        own: list[Offer] = []

        def sort_out(reply: Any) -> None:
            self._note_due(reply)
            for words in reply[2:]:
                told = notice(words)
                if isinstance(told, Offer) and told.item == item:
                    own.append(told)
                else:
                    self._on_notice(told)

        arguments = (item, policy.id, orjson.dumps(asked))
        reply = await self._ask("enqueue", *arguments, sink=sort_out)
        while reply[0] == _UNKNOWN_POLICY:  # again, if another engine has reloaded meanwhile
            await self._still_alive()
            await self.intern(policy)
            reply = await self._ask("enqueue", *arguments, sink=sort_out)
        result = reply[0]
        if isinstance(result, str):
            return Placement(0, refused=result)
        position, waited_ms = result if isinstance(result, list) else (result, 0)
        return Placement(position, tuple(own), waited_ms=waited_ms)

    async def _still_alive(self) -> None:
        """What an emptied Redis does not know is for whoever fills it again, not for a caller in between."""
        self._look_at_life(await self._line.call("GET", f"{self._key}:life") or "")
        if self._lost:
            raise LineDown("Redis was emptied, and is being filled again")

    async def position(self, item: str) -> int:
        """1-based among the waiting of its queue; 0 while it is offered, talking or deferred; -1 if unknown."""
        reply = await self._ask("position", item)
        return int(reply[0])

    async def figures(self, item: str) -> Figures | None:
        """What is known about how soon it will be answered; None if unknown."""
        reply = await self._ask("estimate", item)
        if not reply[0]:
            return None
        position, staffed, *sums, place, said = reply[0]
        served, worked, handled, handle, ring = map(float, sums)
        return Figures(
            position, staffed, served, worked, handled, handle, ring, place, int(said) if said != "" else None
        )

    async def said(self, item: str, position: int, *, low_ms: int = 0, high_ms: int = 0, likely_ms: int = 0) -> bool:
        """The caller is being told their place and, unless `high_ms` is 0, that it will take between `low_ms` and
        `high_ms`; `likely_ms` is the middle of what was reckoned. Measured when an agent accepts. False: unknown."""
        return await self._done("said", item, position, low_ms, high_ms, likely_ms)

    async def ringing(self, token: str) -> bool:
        """The agent's phone rings. False: stale, hang the agent's leg up."""
        return await self._done("ringing", token)

    async def accept(self, token: str) -> bool:
        """The agent answered, first of all that rang: the item's other offers are over, uncharged, and their legs are
        to be hung up. False: stale, hang the agent's leg up. True again when repeated."""
        return await self._done("accept", token)

    async def miss(
        self,
        token: str,
        reason: Missed,
        *,
        cause: int | None = None,
        tech_cause: int | str | None = None,
        ring_ms: int,
    ) -> bool:
        """The offer ended without a conversation: the item is at its place again, or offered to the next; or released,
        if its wait ended meanwhile.

        False: stale, or a reason that the offer's state does not allow (only FAILED and DUMPED after accept).
        """
        optional = ("" if value is None else str(value) for value in (cause, tech_cause))
        return await self._done("miss", token, reason.value, *optional, ring_ms)

    async def withdraw(self, item: str, reason: str, *, keep_place: bool = False) -> bool:
        """The caller left, or the flow took the item out, before an agent accepted. `keep_place`: they may come back to
        it, if the policy says so and they are known (`who`).

        False: unknown (gone already), or accepted: `leave` ends that.
        """
        return await self._done("withdraw", item, reason, int(keep_place))

    async def defer(self, item: str, ms: int, reason: str, *, closes_in_ms: int | None = None) -> bool:
        """Out of the line for so long, at the same place afterwards, where the policy's longest wait begins anew; its
        queue closes on it then, None: does not. Whoever is reserved for it is free, uncharged. False: unknown, or
        accepted."""
        return await self._done("defer", item, ms, reason, _closes_in(closes_in_ms))

    async def closes(self, item: str, closes_in_ms: int | None) -> bool:
        """Its queue closes at another moment than was said when it came: None when that does not end its wait. Before
        it is back from being put off, that does not concern it. False: unknown, or accepted."""
        return await self._done("closes", item, _closes_in(closes_in_ms))

    async def repolicy(self, item: str, policy: Policy) -> bool:
        """Its queue serves otherwise from now on: it waits by this policy, as long as it has waited. Phones that ring
        for it ring on, and until when it may wait stays as it was. False: unknown, or accepted."""
        reply = await self._ask("repolicy", item, policy.id)
        if reply[0] == _UNKNOWN_POLICY:
            await self._still_alive()
            await self.intern(policy)
            reply = await self._ask("repolicy", item, policy.id)
        return bool(reply[0] == 1)

    async def leave(self, item: str, *, reason: str) -> bool:
        """The agent's leg left: the item ends, wrap-up starts. False: unknown, or nobody accepted it."""
        return await self._done("leave", item, reason)

    async def adopt(self, engine: str | None = None) -> list[ItemState]:
        """The items of `engine` (default: ours, from before a restart), which are ours from now on.

        An offer among them is taken up with its token: accept, miss or withdraw it.
        """
        reply = await self._ask("adopt", engine or self._engine)
        return [_item_state(row) for row in reply[0]]

    async def restore(self, item: str, agent: str, *, talked_ms: int = 0) -> bool:
        """After Redis was emptied: this item, just enqueued again with `hold_ms`, is what the agent has been talking
        about for so long. False: unknown item or agent."""
        return await self._done("restore", item, agent, talked_ms)

    async def item(self, item: str) -> ItemState | None:
        """One item as it is now; None when there is none of this id."""
        reply = await self._ask("item", item)
        return _item_state(reply[0]) if reply[0] else None

    async def waiting(self, queue: str, first: int = 0, last: int = 99) -> list[ItemState]:
        """That slice of a queue's line, the next one first."""
        reply = await self._ask("waiting", queue, first, last)
        return [_item_state(row) for row in reply[0]]

    async def queues(self) -> list[QueueState]:
        """Every queue that ever had an item, by name."""
        reply = await self._ask("queues")
        return sorted((QueueState(*row) for row in reply[0]), key=lambda queue: queue.queue)

    async def accuracy(self) -> list[Accuracy]:
        """How good the estimates of each queue were, by name."""
        reply = await self._ask("accuracy")
        found = []
        for queue, *numbers in reply[0]:
            told, within, *sums = map(int, numbers)
            found.append(Accuracy(queue, told, within, *(round(total / told) for total in sums)))
        return sorted(found, key=lambda accuracy: accuracy.queue)


def _closes_in(ms: int | None) -> int:
    return -1 if ms is None else max(ms, 0)


def _item_state(row: list[Any]) -> ItemState:
    id_, queue, type_, state, offers, attempt, at, data = row
    made = tuple(Offer(*words[1:]) for words in offers)
    return ItemState(id_, queue, type_, state, made, int(attempt), int(at), data)
