"""One offer: ring the agent's phone until somebody answers or it is clear that nobody will."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.acd import Missed, Offer
from engine.asterisk.channel import Channel, LegEnd
from engine.asterisk.node import LegOf

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

# A phone that has said nothing at all for so long is not there (pitfall 4).
SILENT_PHONE_S = 3.0
# "Temporarily unavailable" so soon after the INVITE is a do-not-disturb key, not a person who did not come.
DO_NOT_DISTURB_MS = 2000

# SIP status of the agent's leg → why the offer was missed (RESEARCH of the field, appendix B).
_BY_STATUS = {
    302: Missed.BUSY,
    403: Missed.REJECTED,
    408: Missed.UNREACHABLE,
    486: Missed.BUSY,
    600: Missed.BUSY,
    603: Missed.REJECTED,
}
# Q.850 cause, for an Asterisk that does not tell the status (before 22.7).
_BY_CAUSE = {
    17: Missed.BUSY,
    18: Missed.UNREACHABLE,
    19: Missed.NO_ANSWER,
    20: Missed.UNREACHABLE,
    21: Missed.REJECTED,
}


def why_missed(end: LegEnd, ring_ms: int) -> Missed:
    """What the end of an unanswered leg says about its agent."""
    if end.lost:
        return Missed.FAILED
    if end.tech_cause == 480:
        return Missed.BUSY if ring_ms < DO_NOT_DISTURB_MS else Missed.NO_ANSWER
    if end.tech_cause:
        return _BY_STATUS.get(end.tech_cause, Missed.FAILED)
    return _BY_CAUSE.get(end.cause, Missed.FAILED)


def why_refused(status: int) -> Missed:
    """What Asterisk's refusal to dial says about the agent (Node.refusal)."""
    return Missed.UNREACHABLE if status == 500 else Missed.FAILED


@dataclass(frozen=True, slots=True)
class Answer:
    """An agent's answered leg, and the token under which it is ours."""

    leg: Channel
    token: str


class Ringing:
    """One agent's leg while it rings. Whatever cuts `answered()` short, the phone stops ringing."""

    def __init__(self, call: InboundCall, offer: Offer) -> None:
        self._call, self._offer = call, offer
        self._acd, self._node = call.board.acd, call.board.node
        self._began = 0.0

    async def answered(self) -> Answer | Missed:
        """The agent's leg, answered and ours; else why not (the caller is back at their place).

        Raises AriError, LineDown; HungUp comes from the call's scope.
        """
        self._began = time.monotonic()
        call, agent, ring_s = self._call, self._offer.agent, self._call.queue_settings.ring
        call.record.offers += 1
        call.record.agent = agent
        leg, dialled = self._node.originate(
            LegOf.AGENT.id(self._offer.token),
            f"PJSIP/{agent}",
            caller_id=call.shown_to_agent(),
            originator=call.leg.id,
            timeout_s=int(ring_s) + 2,
        )
        outcome: Answer | Missed = Missed.FAILED  # unless it is missed or ours, the ACD has taken it back meanwhile
        call.board.phones.ours(agent, leg)
        try:
            # Behind the INVITE, and with it: no dead air while the phone rings.
            await call.leg.hold_music(True, call.music)
            call.save()
            refusal = await self._node.refusal(leg, dialled)
            missed = why_refused(refusal) if refusal else await self._until_answer(leg, ring_s)
            if missed is not None:
                await self._missed(missed, leg.gone.result() if leg.gone.done() else None)
                outcome = missed
            elif await self._acd.accept(self._offer.token):
                call.record.ring_ms = self._ms()
                outcome = Answer(leg, self._offer.token)
            call.phone_rings = False  # not when a hang-up cuts this short: the caller then left a ringing phone
            return outcome
        finally:
            if not isinstance(outcome, Answer):  # missed, taken back meanwhile, or cut short: nobody else will end it
                leg.drop()

    async def _until_answer(self, leg: Channel, ring_s: float) -> Missed | None:
        """None once answered, else why not."""
        if not await leg.until(lambda: leg.ringing or leg.up or leg.gone.done(), min(SILENT_PHONE_S, ring_s)):
            return Missed.UNREACHABLE
        if leg.ringing and not leg.gone.done():
            if not await self._acd.ringing(self._offer.token):
                return Missed.FAILED
            self._call.phone_rings = True
            left = ring_s - (time.monotonic() - self._began)
            await leg.until(lambda: leg.up or leg.gone.done(), left)
        if leg.up:  # perhaps gone again by now: the bridge finds out, and the agent has dumped the call
            return None
        return why_missed(leg.gone.result(), self._ms()) if leg.gone.done() else Missed.NO_ANSWER

    async def _missed(self, why: Missed, end: LegEnd | None) -> None:
        record = self._call.record
        record.ring_ms = self._ms()
        if why is Missed.UNREACHABLE:
            self._call.board.phones.unreachable(self._offer.agent)
        await self._acd.miss(
            self._offer.token,
            why,
            cause=end.cause or None if end else None,
            tech_cause=end.tech_cause if end else None,
            ring_ms=record.ring_ms,
        )

    def _ms(self) -> int:
        return round((time.monotonic() - self._began) * 1000)
