"""A caller who wants one agent and nobody else: the extension was dialled, or the agent owns the customer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from engine.acd import AgentState, Device, Intent, Missed, Offer
from engine.call.conversation import Conversation
from engine.call.offer import Answer, Ringing
from engine.call.phase import Phase
from engine.call.waiting import LEASE_MARGIN_S
from engine.config.models import Queue
from engine.flow.steps.base import ToAgent

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

# Why the agent did not take the call → the step's outcome.
OUTCOMES = {
    Missed.BUSY: "busy",
    Missed.REJECTED: "busy",
    Missed.NO_ANSWER: "no_answer",
    Missed.DUMPED: "no_answer",
    Missed.UNREACHABLE: "absent",
    Missed.FAILED: "no_answer",
    Missed.LEASE: "no_answer",
}


def queue_of(to: ToAgent) -> Queue:
    """The wait for one agent, as the settings of a queue in which they are the only one."""
    return Queue(
        require=f"agent:{to.agent}",
        ring=to.ring_s,
        wrap_up=to.wrap_up_s,
        max_wait=to.patience_s,
        announce_position=None,
        music=to.music,
    )


def why_not_now(agent: AgentState | None, now_ms: int) -> str:
    """`absent` who is not at work or has no phone, `busy` who cannot be rung at this moment; "" who can."""
    if agent is None or agent.intent is not Intent.READY or agent.device is Device.DOWN:
        return "absent"
    return "" if agent.routable(now_ms) else "busy"


class Owner:
    """The wait for one agent. They get one offer: whoever does not take it will not be rung again for this."""

    def __init__(self, call: InboundCall, to: ToAgent) -> None:
        self._call, self._to = call, to
        self._acd = call.board.acd

    async def conversation(self) -> Conversation | str:
        """Both can talk, or the outcome. Raises AriError, LineDown; HungUp comes from the call's scope."""
        call, record = self._call, self._call.record
        record.queue = f"agent:{self._to.agent}"
        if record.phase is Phase.FLOW:  # a successor goes on waiting
            why_not = why_not_now(await self._acd.look_at(self._to.agent), call.now_ms())
            if why_not == "absent" or (why_not and not self._to.patience_s):
                return why_not
            record.go(Phase.WAITING)
        outcome = await self._answered()
        if isinstance(outcome, Answer):
            conversation = call.talk_with(outcome.leg, outcome.token)
            if await conversation.begin():
                call.board.records.save_now(record)
                return conversation
            await self._acd.miss(outcome.token, Missed.DUMPED, ring_ms=record.ring_ms)
            outcome = OUTCOMES[Missed.DUMPED]
        await self._leave(outcome)
        return outcome

    async def _answered(self) -> Answer | str:
        call, record, settings = self._call, self._call.record, queue_of(self._to)
        placement = await self._acd.enqueue(
            record.id,
            queue=record.queue,
            requirement=settings.require,
            head_start_ms=round(record.head_start_s * 1000),
            wrapup_ms=round(settings.wrap_up * 1000),
            lease_ms=round((settings.ring + LEASE_MARGIN_S) * 1000),
        )
        record.queued_ms = record.queued_ms or call.now_ms()
        if placement.offer is None:
            call.board.records.save_now(record)
        offer = placement.offer or await self._offered()
        if offer is None:
            return "timed_out" if self._to.patience_s else "busy"
        record.offers += 1
        record.agent = offer.agent
        ringing = Ringing(call, offer)
        answer = await ringing.answered()
        call.phone_rings = False
        return answer or OUTCOMES[ringing.missed or Missed.FAILED]

    async def _offered(self) -> Offer | None:
        """The agent is free now; None when the caller's patience is over first."""
        call = self._call
        await call.leg.hold_music(True, call.music)
        try:
            return await asyncio.wait_for(call.offers.get(), self._to.patience_s)
        except TimeoutError:
            return None

    async def _leave(self, outcome: str) -> None:
        """An offer may come at this very moment: withdrawing decides who was first."""
        await self._acd.withdraw(self._call.record.id, outcome)
        while not self._call.offers.empty():
            self._call.offers.get_nowait()
