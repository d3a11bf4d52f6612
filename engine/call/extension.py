"""A caller who wants one agent and nobody else: the extension was dialled, or the agent owns the customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.acd import AgentState, Device, Intent, Missed
from engine.call.conversation import Conversation
from engine.call.phase import Phase
from engine.call.place import Terms
from engine.call.waiting import Waiting
from engine.config.policies import policy_of_agent
from engine.config.queues import Queue
from engine.flow.steps.base import ToAgent
from engine.redis_line import LineDown

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


class Owner(Waiting):
    """The wait for one agent. They get one offer: whoever does not take it will not be rung again for this."""

    def __init__(self, call: InboundCall, to: ToAgent) -> None:
        self._to = to
        terms = Terms(policy_of_agent(to, call.site), head_start_ms=round(call.record.head_start_s * 1000))
        super().__init__(call, terms, ring_s=to.ring_s)

    async def conversation(self) -> Conversation | str:
        """Both can talk, or the outcome. Raises AriError, LineDown; HungUp comes from the call's scope."""
        record = self._call.record
        record.queue = f"agent:{self._to.agent}"
        if record.phase is Phase.FLOW:  # a successor goes on waiting
            why_not = await self._why_not_now()
            if why_not == "absent" or (why_not and not self._to.patience_s):
                return why_not
        return await super().conversation()

    async def _why_not_now(self) -> str:
        call = self._call
        try:
            return why_not_now(await call.board.acd.look_at(self._to.agent), call.now_ms())
        except LineDown:  # they wait for Redis as everybody does
            return ""

    def _over(self, reason: str) -> str:
        return "busy" if reason == "timed_out" and not self._to.patience_s else "timed_out"

    async def _after(self, missed: Missed) -> str:
        """Gives the place up; another offer of it may be on its way, and is dropped."""
        await self._leave(OUTCOMES[missed])
        return OUTCOMES[missed]
