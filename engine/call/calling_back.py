"""One try to call somebody back: an agent is reserved; their phone rings first, or the customer's does."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from engine.acd import Missed, Offer
from engine.asterisk.channel import Channel, LegEnd
from engine.asterisk.node import LegOf
from engine.call.agent_phone import AgentPhone
from engine.call.callback_call import CallbackCall
from engine.call.conversation import HANDED_OVER_S
from engine.call.offer import Answer, Ringing
from engine.call.outside import Unreached, why_unreached
from engine.call.record import CallRecord, new_call_id, now_ms
from engine.call.switchboard import Switchboard
from engine.callbacks import Callback
from engine.config.dialling import NotAllowed, Way, ways_out
from engine.config.queues import CallingBack, Queue
from engine.flow.steps import ToQueue
from engine.journal.events import CallAnswered

ALL_LINES_TAKEN = "all_lines_taken"


@dataclass(frozen=True, slots=True)
class Failed:
    """Nobody was reached. `reason`: an Unreached, or that every line is taken, which is no try."""

    reason: str
    end: LegEnd = field(default_factory=LegEnd)


class AgentFirst(Ringing):
    """An agent's phone that rings before the customer's: whether the offer is theirs is settled when both are there."""

    async def _accepted(self, phone: AgentPhone, leg: Channel) -> Answer | None:
        await leg.until(lambda: leg.in_stasis or leg.gone.done(), HANDED_OVER_S)
        return Answer(leg, self.offer, self._ms(), phone.trunk)


class Try:
    """From the offer to the customer's answer, or to the end of it."""

    def __init__(self, board: Switchboard, callback: Callback, offer: Offer, queue: Queue) -> None:
        self._board, self._queue = board, queue
        self.callback, self.offer = callback, offer
        self._settings = queue.callbacks or CallingBack()
        self.call = _call(board, callback)
        self.reserved = self.call.reserved

    async def run(self) -> CallbackCall | Failed | None:
        """The call, once the customer has answered; None when it was not for the customer that nothing came of it: no
        agent has answered, or nobody wants the callback any more. Raises AriError, LineDown."""
        answered = False
        try:
            if self._settings.first == "agent" and not await self._agent_answers():
                return None
            outcome = await self._called()
            answered = isinstance(outcome, CallbackCall)
            return outcome
        finally:
            if not answered:
                self.reserved.let_go()
                self.call.leg.drop()

    async def _agent_answers(self) -> bool:
        """One agent after the other, for as long as the ACD has another at once."""
        while True:
            ringing = AgentFirst(self.call, self.offer, self._queue.ring)
            answer: Answer | Missed | None = None
            try:
                answer = await self.reserved.during(ringing.dial(), offer=self.offer.token)
            finally:
                if not isinstance(answer, Answer):
                    ringing.hang_up()
            if isinstance(answer, Answer):
                self.reserved.hold(answer)
                return True
            if not self._next():
                return False

    def _next(self) -> bool:
        offer, self.reserved.next = self.reserved.next, None
        self.offer = offer or self.offer
        return offer is not None

    async def _called(self) -> CallbackCall | Failed | None:
        try:
            ways = ways_out(self._board.site.hotline, self.callback.number, self._settings.trunk)
        except NotAllowed as refusal:
            return Failed(refusal.why)
        way = self._board.outside_lines.free(ways)
        if way is None:
            return Failed(ALL_LINES_TAKEN)
        self._board.callbacks.dialling(self.callback.item, self.offer.agent, way)
        outcome = await self.reserved.during(asyncio.ensure_future(self._customer_answers(way)))
        return self._answered(way, outcome) if isinstance(outcome, int) else outcome

    async def _customer_answers(self, way: Way) -> Failed | int:
        """How long that took, in ms; else why they did not. Whoever cuts this short ends the leg. Raises AriError."""
        leg, node, began = self.call.leg, self._board.node, time.monotonic()
        ring_s = self._settings.ring
        dialled = node.call(leg, way.endpoint, caller_id=f"<{way.caller_id}>", timeout_s=int(ring_s) + 2)
        self._board.outside_lines.hold(way.trunk, leg)
        if await node.refusal(leg, dialled) is not None:
            return Failed(Unreached.UNREACHABLE)
        await leg.until(lambda: leg.up or leg.gone.done(), ring_s)
        if leg.up and not leg.gone.done():
            await leg.until(lambda: leg.in_stasis or leg.gone.done(), HANDED_OVER_S)
        if leg.gone.done():
            return Failed(why_unreached(leg.gone.result()), leg.gone.result())
        if not leg.in_stasis:
            return Failed(Unreached.NO_ANSWER)
        return round((time.monotonic() - began) * 1000)

    def _answered(self, way: Way, ring_ms: int) -> CallbackCall:
        record = self.call.record
        record.arrived_ms = record.answered_ms = now_ms()
        record.trunk = way.trunk
        self._board.callbacks.answered(record, ring_ms)
        self._board.journal.append(record.arrived())
        self.call.note(CallAnswered)
        return self.call


def _call(board: Switchboard, callback: Callback) -> CallbackCall:
    """A call that is yet to be made."""
    call_id = new_call_id()
    leg = board.node.callee(LegOf.OUTSIDE.id(call_id))
    caller = board.site.hotline.caller(callback.number, trunk="", presentation="allowed")
    record = CallRecord(
        id=call_id,
        channel=leg.id,
        dialled="",
        number=callback.number,
        raw=callback.number,
        presentation="allowed",
        area=caller.area,
        carrier=caller.carrier,
        language=callback.language,
        away=ToQueue(queue=callback.queue),
        queue=callback.queue,
        customer_name=callback.name,
        variables={"customer.name": callback.name, "route.require": callback.require},
        config_version=board.site.version,
        queued_ms=callback.placed_ms,
        head_start_s=callback.head_start_ms / 1000,
        item=callback.item,
        callback=callback.id,
    )
    return CallbackCall(board, leg, record, caller)
