"""Two people talking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.asterisk.ari import AriRefused
from engine.asterisk.channel import Channel
from engine.journal.events import BridgeEnded, BridgeStarted

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

# How long the event that says who left may come after the refusal to bridge them.
WHO_LEFT_S = 1.0


class Conversation:
    """The bridge between a caller and an agent, and the one place that takes it down."""

    def __init__(self, call: InboundCall, agent_leg: Channel, token: str = "") -> None:
        self._call = call
        self.agent_leg = agent_leg
        self.token = token

    async def begin(self) -> bool:
        """Lets them talk; False when the agent was gone before the first word."""
        call = self._call
        record = call.record
        record.bridge = f"{record.id}-b{record.offers}"
        record.agent_channel = self.agent_leg.id
        await call.leg.hold_music(False)
        try:
            await call.board.node.bridge(record.bridge, call.leg, self.agent_leg)
        except AriRefused:
            # One of them has just left; when it is the caller, the call's scope ends this wait.
            if not await self.agent_leg.until(self.agent_leg.gone.done, WHO_LEFT_S):
                raise
            await call.board.node.unbridge(record.bridge)
            record.bridge = ""
            return False
        record.talking_since_ms = call.now_ms()
        record.connected_ms = record.connected_ms or record.talking_since_ms
        call.note(BridgeStarted, bridge=record.bridge, agent=record.agent)
        return True

    async def until_agent_leaves(self) -> None:
        """The caller's leaving comes as HungUp, from the call's scope."""
        await self.agent_leg.until(self.agent_leg.gone.done)

    async def end(self) -> None:
        """Ends the agent's leg and the bridge; says how long they talked. Never raises HungUp."""
        call, record = self._call, self._call.record
        by = "agent" if self.agent_leg.gone.done() else "caller"
        self.agent_leg.drop()
        if record.talking_since_ms is not None:
            call.note(BridgeEnded, talk_ms=call.now_ms() - record.talking_since_ms, by=by)
            record.talk_ends(call.now_ms())
