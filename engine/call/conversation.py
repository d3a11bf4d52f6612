"""Two people talking: the caller, and an agent or somebody outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.asterisk.ari import AriRefused
from engine.asterisk.channel import Channel
from engine.journal.events import BridgeEnded, BridgeStarted

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

# An answered leg is handed to us within a moment.
HANDED_OVER_S = 2.0
# How long the event that says who left may come after the refusal to bridge them.
WHO_LEFT_S = 1.0


class Conversation:
    """The bridge between a caller and the other side, and the one place that takes it down."""

    def __init__(self, call: InboundCall, agent_leg: Channel, token: str = "") -> None:
        self._call = call
        self.agent_leg = agent_leg
        self.token = token

    async def begin(self) -> bool:
        """Lets them talk; False when the agent was gone before the first word."""
        call, leg = self._call, self.agent_leg
        record = call.record
        record.bridge = f"{record.id}-b{call.now_ms()}"
        record.agent_channel = leg.id
        # Asterisk tells that it is answered before it hands it over, and can bridge it only then.
        await leg.until(lambda: leg.in_stasis or leg.gone.done(), HANDED_OVER_S)
        await call.leg.hold_music(False)
        try:
            await call.board.node.bridge(record.bridge, call.leg, leg)
        except AriRefused:
            # One of them has just left; when it is the caller, the call's scope ends this wait.
            if not await leg.until(leg.gone.done, WHO_LEFT_S):
                raise
            await call.board.node.unbridge(record.bridge)
            record.bridge = ""
            return False
        record.talking_since_ms = call.now_ms()
        record.connected_ms = record.connected_ms or record.talking_since_ms
        outside = record.outside if record.is_outside else ""
        call.note(BridgeStarted, bridge=record.bridge, agent="" if outside else record.agent, outside=outside)
        return True

    async def until_agent_leaves(self) -> None:
        """The caller's leaving comes as HungUp, from the call's scope."""
        await self.agent_leg.until(self.agent_leg.gone.done)

    async def end(self, at_ms: int) -> None:
        """Ends the agent's leg and the bridge; says how long they talked until `at_ms`. Never raises HungUp."""
        call, record = self._call, self._call.record
        other_side = "outside" if record.is_outside else "agent"
        by = other_side if self.agent_leg.gone.done() else "caller"
        self.agent_leg.drop()
        if record.talking_since_ms is not None:
            call.note(BridgeEnded, talk_ms=at_ms - record.talking_since_ms, by=by)
            record.talk_ends(at_ms)
