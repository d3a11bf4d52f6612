"""One offer: ring the agent's phone until somebody answers or it is clear that nobody will."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from engine.acd import Missed, Offer
from engine.asterisk.channel import Channel, LegEnd
from engine.asterisk.node import LegOf
from engine.redis_line import LineDown

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

log = structlog.get_logger()
T = TypeVar("T")

# A phone that has said nothing at all for so long is not there (pitfall 4).
SILENT_PHONE_S = 3.0
# "Temporarily unavailable" so soon after the INVITE is a do-not-disturb key, not a person who did not come.
DO_NOT_DISTURB_MS = 2000
# How long an agent who has answered may hear nothing because Redis is away.
ANSWERED_S = 5.0
AGAIN_S = 0.1

# SIP status of the agent's leg → why the offer was missed (RESEARCH of the field, appendix B).
_BY_STATUS = {
    302: Missed.DND,
    401: Missed.REJECTED,
    403: Missed.REJECTED,
    404: Missed.WRONG_NUMBER,
    407: Missed.REJECTED,
    408: Missed.UNREACHABLE,
    485: Missed.WRONG_NUMBER,
    486: Missed.BUSY,
    600: Missed.BUSY,
    603: Missed.REJECTED,
    604: Missed.WRONG_NUMBER,
}
# Q.850 cause, for an Asterisk that does not tell the status (before 22.7).
_BY_CAUSE = {
    1: Missed.WRONG_NUMBER,
    17: Missed.BUSY,
    18: Missed.UNREACHABLE,
    19: Missed.NO_ANSWER,
    20: Missed.UNREACHABLE,
    21: Missed.REJECTED,
    23: Missed.DND,
}
# No person says so: somebody must look at the configuration.
_ALARMING = {
    401: "the phone asks us for a password",
    403: "the phone forbids the call",
    404: "the phone knows no such user",
    407: "the phone asks us for a password",
    485: "the phone's address is ambiguous",
    488: "the phone accepts none of our codecs",
    604: "there is no such user",
    606: "the phone accepts none of our codecs",
}


def why_missed(end: LegEnd, ring_ms: int, *, undisturbed: bool = False) -> Missed:
    """What the end of an unanswered leg says about its agent. `undisturbed`: the phone was idle, as far as we know, and
    did not even ring; then it is not busy but does not want to be disturbed."""
    if end.lost:
        return Missed.FAILED
    if end.tech_cause == 480:
        return Missed.DND if ring_ms < DO_NOT_DISTURB_MS else Missed.NO_ANSWER
    why = _BY_STATUS.get(end.tech_cause, Missed.FAILED) if end.tech_cause else _BY_CAUSE.get(end.cause, Missed.FAILED)
    return Missed.DND if why is Missed.BUSY and undisturbed else why


def why_refused(status: int) -> Missed:
    """What Asterisk's refusal to dial says about the agent (Node.refusal)."""
    return Missed.UNREACHABLE if status == 500 else Missed.FAILED


@dataclass(frozen=True, slots=True)
class Answer:
    """An agent's answered leg, and the offer under which it is ours."""

    leg: Channel
    offer: Offer
    ring_ms: int

    @property
    def token(self) -> str:
        """The offer's."""
        return self.offer.token


class Ringing:
    """One agent's leg while it rings. Whatever cuts `answered()` short, the phone stops ringing."""

    def __init__(self, call: InboundCall, offer: Offer, ring_s: float) -> None:
        self._call, self.offer, self._ring_s = call, offer, ring_s
        self._acd, self._node = call.board.acd, call.board.node
        self._stops_as = "normal"

    def dial(self) -> None:
        """The INVITE leaves before anything else is done."""
        call, agent = self._call, self.offer.agent
        self._began = time.monotonic()
        self._leg, self._dialled = self._node.originate(
            LegOf.AGENT.id(self.offer.token),
            f"PJSIP/{agent}",
            caller_id=call.shown_to_agent(),
            originator=call.leg.id,
            timeout_s=int(self._ring_s) + 2,
        )
        call.record.offers += 1
        call.board.phones.ours(agent, self._leg)

    def elsewhere(self) -> None:
        """Another phone was answered first: this one is told so, and shows no missed call."""
        self._stops_as = "answered_elsewhere"

    async def answered(self) -> Answer | Missed | None:
        """The agent's leg, answered and ours; else why not (the caller is back at their place), or None when the ACD
        took the offer back meanwhile. Raises AriError."""
        leg, outcome = self._leg, None
        try:
            self._call.save()
            refusal = await self._node.refusal(leg, self._dialled)
            missed = why_refused(refusal) if refusal else await self._until_answer()
            if missed is None:
                outcome = await self._accepted()
            elif await self._missed(missed, leg.gone.result() if leg.gone.done() else None):
                self._call.ringing.discard(self.offer.token)  # not when a hang-up cuts this short
                return missed
            return outcome
        finally:
            if outcome is None:  # missed, taken back meanwhile, or cut short: nobody else will end it
                leg.drop(self._stops_as)

    async def _until_answer(self) -> Missed | None:
        """None once answered, else why not."""
        leg, ring_s = self._leg, self._ring_s
        if not await leg.until(lambda: leg.ringing or leg.up or leg.gone.done(), min(SILENT_PHONE_S, ring_s)):
            return Missed.UNREACHABLE
        if leg.ringing and not leg.gone.done():
            self._call.ringing.add(self.offer.token)
            if await self._told(self._acd.ringing(self.offer.token)) is False:
                return Missed.FAILED
            left = ring_s - (time.monotonic() - self._began)
            await leg.until(lambda: leg.up or leg.gone.done(), left)
        if leg.up:  # perhaps gone again by now: the bridge finds out, and the agent has dumped the call
            return None
        if not leg.gone.done():
            return Missed.NO_ANSWER
        undisturbed = not leg.ringing and self._call.board.phones.is_idle(self.offer.agent)
        return why_missed(leg.gone.result(), self._ms(), undisturbed=undisturbed)

    async def _accepted(self) -> Answer | None:
        """Ours; None when the offer was taken back. While Redis is away we ask again: the agent has answered."""
        ring_ms, until = self._ms(), time.monotonic() + ANSWERED_S
        while time.monotonic() < until:
            ours = await self._told(self._acd.accept(self.offer.token))
            if ours is not None:
                return Answer(self._leg, self.offer, ring_ms) if ours else None
            await asyncio.sleep(AGAIN_S)
        return None

    async def _missed(self, why: Missed, end: LegEnd | None) -> bool:
        agent, status = self.offer.agent, end.tech_cause if end else None
        self._call.record.ring_ms = self._ms()
        if why is Missed.UNREACHABLE:
            self._call.board.phones.unreachable(agent)
        if status in _ALARMING:
            log.error("offer.misconfigured", agent=agent, status=status, remedy=f"{_ALARMING[status]}: see its contact")
        missed = self._acd.miss(
            self.offer.token, why, cause=end.cause or None if end else None, tech_cause=status, ring_ms=self._ms()
        )
        return await self._told(missed) is not False

    async def _told(self, telling: Awaitable[T]) -> T | None:
        """What the ACD says; None while Redis is away: what it was not told lapses with the offer's lease."""
        try:
            return await telling
        except LineDown as fault:
            log.warning("offer.redis_away", call=self._call.record.id, error=str(fault))
            return None

    def _ms(self) -> int:
        return round((time.monotonic() - self._began) * 1000)


class Ringers:
    """The phones that ring for one caller at this moment; mostly one."""

    def __init__(self, call: InboundCall, ring_s: float) -> None:
        self._call, self._ring_s = call, ring_s
        self._ringing: dict[str, tuple[Ringing, asyncio.Task[Answer | Missed | None]]] = {}

    def ring(self, offer: Offer) -> None:
        """One more; told of it twice, it rings once."""
        if offer.token not in self._ringing:
            ringing = Ringing(self._call, offer, self._ring_s)
            ringing.dial()
            self._ringing[offer.token] = (ringing, asyncio.ensure_future(ringing.answered()))

    def __bool__(self) -> bool:
        return bool(self._ringing)

    @property
    def tasks(self) -> list[asyncio.Task[Any]]:
        """Each is done when its phone was answered, or will not be."""
        return [task for _, task in self._ringing.values()]

    def ended(self) -> list[Answer | Missed]:
        """What came of those that have ended since this was asked last. Raises AriError."""
        over = [token for token, (_, task) in self._ringing.items() if task.done()]
        results = [self._ringing.pop(token)[1].result() for token in over]
        return [result for result in results if result is not None]

    async def stop(self, token: str) -> None:
        """The ACD has taken this offer back."""
        if token in self._ringing:
            await _ended([self._ringing.pop(token)[1]])
            self._call.ringing.discard(token)

    async def silence(self, *, elsewhere: bool) -> None:
        """All of them stop. `elsewhere`: because another phone was answered."""
        ringing, self._ringing = list(self._ringing.values()), {}
        if elsewhere:
            for phone, _ in ringing:
                phone.elsewhere()
        await _ended([task for _, task in ringing])


async def _ended(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
