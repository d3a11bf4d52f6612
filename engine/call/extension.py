"""A caller who wants one agent and nobody else: the extension was dialled, or the agent owns the customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.acd import AgentState, Device, Intent, Missed
from engine.call.conversation import Conversation
from engine.call.offer import Answer, Ringing
from engine.call.phase import Phase
from engine.call.place import Place
from engine.config.models import Queue
from engine.flow.steps.base import ToAgent

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

# Why the agent did not take the call → the step's outcome.
OUTCOMES = {
    Missed.BUSY: "busy",
    Missed.DND: "busy",
    Missed.REJECTED: "busy",
    Missed.NO_ANSWER: "no_answer",
    Missed.DUMPED: "no_answer",
    Missed.UNCONFIRMED: "no_answer",
    Missed.UNREACHABLE: "absent",
    Missed.WRONG_NUMBER: "absent",
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
        settings = queue_of(to)
        self._place = Place(call, settings, settings.require)

    async def conversation(self) -> Conversation | str:
        """Both can talk, or the outcome. Raises AriError, LineDown; HungUp comes from the call's scope."""
        call, record = self._call, self._call.record
        record.queue = f"agent:{self._to.agent}"
        if record.phase is Phase.FLOW:  # a successor goes on waiting
            why_not = why_not_now(await call.board.acd.look_at(self._to.agent), call.now_ms())
            if why_not == "absent" or (why_not and not self._to.patience_s):
                return why_not
            record.go(Phase.WAITING)
        found = await self._answered()
        if isinstance(found, Answer):
            conversation = await call.connected(found)
            if conversation is not None:
                return conversation
            found = Missed.DUMPED
        outcome = OUTCOMES[found] if found is not None else "timed_out" if self._to.patience_s else "busy"
        await self._place.give_up(outcome)
        return outcome

    async def _answered(self) -> Answer | Missed | None:
        """What came of the one offer; None when the caller's patience was over before the agent was free."""
        call = self._call
        offer = await self._place.take()
        if offer is None:
            await call.leg.hold_music(True, call.music)
            offer = await self._place.offer(self._to.patience_s)
        return None if offer is None else await Ringing(call, offer).answered()
