"""One offer: ring the agent's phone until somebody answers or it is clear that nobody will."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from engine.acd import Missed, Offer
from engine.asterisk.ari import AriError
from engine.asterisk.channel import Channel, LegEnd
from engine.asterisk.node import CALLER_HAS_LEFT, LegOf
from engine.call.agent_phone import AgentPhone, phone_of
from engine.call.confirming import confirmed
from engine.call.missed import ALARMING, why_missed, why_refused
from engine.config.prompts import TAKE_CALL
from engine.redis_line import LineDown

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

log = structlog.get_logger()
T = TypeVar("T")

# A phone that has said nothing at all for so long is not there (pitfall 4).
SILENT_PHONE_S = 3.0
# How long an agent who has answered may hear nothing because Redis is away.
ANSWERED_S = 5.0
AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    """An agent's answered leg, and the offer under which it is ours. `trunk`: that it came through, "" for none."""

    leg: Channel
    offer: Offer
    ring_ms: int
    trunk: str = ""

    @property
    def token(self) -> str:
        """The offer's."""
        return self.offer.token


class Ringing:
    """One agent's leg while it rings. Whoever cuts `answered()` short hangs up."""

    def __init__(self, call: InboundCall, offer: Offer, ring_s: float) -> None:
        self._call, self.offer, self._ring_s = call, offer, ring_s
        self._acd, self._node = call.board.acd, call.board.node
        self._leg: Channel | None = None
        self._moved = asyncio.Event()
        self.free_in(offer.free_in_ms)

    def dial(self) -> asyncio.Task[Answer | Missed | None]:
        """The INVITE leaves before anything else is done; to an agent who still wraps up, when that is over. What comes
        of it is the task's result, as of `answered()`."""
        return asyncio.ensure_future(self._when_free() if self.offer.free_in_ms else self._invite())

    def free_in(self, ms: int) -> None:
        """The agent's wrap-up will be over then."""
        self._free_at = time.monotonic() + ms / 1000
        self._moved.set()

    async def _when_free(self) -> Answer | Missed | None:
        while (left_s := self._free_at - time.monotonic()) > 0:
            self._moved.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await self._moved.wait()
        return await self._invite()

    def _invite(self) -> Coroutine[Any, Any, Answer | Missed | None]:
        call, agent = self._call, self.offer.agent
        self._began = time.monotonic()
        call.record.offers += 1
        phone = phone_of(call, agent)
        if isinstance(phone, Missed):
            return self._missed(phone)
        leg, dialled = self._node.originate(
            LegOf.AGENT.id(self.offer.token),
            phone.endpoint,
            caller_id=phone.caller_id,
            originator=call.originator,
            timeout_s=int(self._ring_s) + 2,
        )
        self._leg = leg
        if phone.trunk:
            call.board.outside_lines.hold(phone.trunk, leg)
        else:
            call.board.phones.ours(agent, leg)
        return self._answered(phone, leg, dialled)

    def hang_up(self, reason: str = "normal") -> None:
        """Ends the leg, once, whatever it is doing. `answered_elsewhere`: another phone was answered first, and this
        one shows no missed call."""
        leg, self._leg = self._leg, None
        if leg is not None:
            leg.drop(reason)

    async def _answered(
        self, phone: AgentPhone, leg: Channel, dialled: asyncio.Future[object]
    ) -> Answer | Missed | None:
        """The agent's leg, answered and ours; else why not (the caller is back at their place), or None when the ACD
        took the offer back meanwhile."""
        self._call.save()
        try:
            refusal = await self._node.refusal(leg, dialled)
            if refusal == CALLER_HAS_LEFT and self._call.originator:
                await self._call.leg.look()  # a caller who is not there would stand first in line for ever
            missed = why_refused(refusal) if refusal else await self._until_taken(phone, leg)
        except AriError as fault:  # it costs the offer, and not the caller's place
            log.warning("offer.asterisk_away", call=self._call.record.id, error=str(fault))
            missed = Missed.FAILED
        if missed is None and (answer := await self._accepted(phone, leg)):
            return answer
        ended = await self._missed(missed, leg) if missed else None
        self.hang_up()
        return ended

    async def _until_taken(self, phone: AgentPhone, leg: Channel) -> Missed | None:
        """None once somebody has answered, and has pressed the key if it needs one; else why not."""
        missed = await self._until_answer(phone, leg)
        if missed is None and phone.confirms and not await confirmed(leg, self._call.prompt_for_agents(TAKE_CALL)):
            return Missed.UNCONFIRMED
        return missed

    async def _until_answer(self, phone: AgentPhone, leg: Channel) -> Missed | None:
        """None once answered, else why not. A phone of our own shows at once whether it is there; behind a trunk the
        network may take many seconds before anything rings, and need not say that it does (183)."""
        outside, ring_s = bool(phone.trunk), self._ring_s
        silent_s = ring_s if outside else min(SILENT_PHONE_S, ring_s)
        if not await leg.until(lambda: leg.ringing or leg.up or leg.gone.done(), silent_s):
            return Missed.NO_ANSWER if outside else Missed.UNREACHABLE
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
        undisturbed = not outside and not leg.ringing and self._call.board.phones.is_idle(self.offer.agent)
        return why_missed(leg.gone.result(), self._ms(), undisturbed=undisturbed, outside=outside)

    async def _accepted(self, phone: AgentPhone, leg: Channel) -> Answer | None:
        """Ours; None when the offer was taken back. While Redis is away we ask again: the agent has answered."""
        ring_ms, until = self._ms(), time.monotonic() + ANSWERED_S
        while time.monotonic() < until:
            ours = await self._told(self._acd.accept(self.offer.token))
            if ours is not None:
                return Answer(leg, self.offer, ring_ms, phone.trunk) if ours else None
            await asyncio.sleep(AGAIN_S)
        return None

    async def _missed(self, why: Missed, leg: Channel | None = None) -> Missed | None:
        """Gives the caller back to their place; None when the ACD has done that already."""
        agent, end = self.offer.agent, leg.gone.result() if leg is not None and leg.gone.done() else LegEnd()
        self._call.record.ring_ms = self._ms()
        if why is Missed.UNREACHABLE:
            self._call.board.phones.unreachable(agent)
        if end.tech_cause in ALARMING:
            said = ALARMING[end.tech_cause]
            log.error("offer.misconfigured", agent=agent, status=end.tech_cause, remedy=f"{said}: see its contact")
        missed = self._acd.miss(
            self.offer.token, why, cause=end.cause or None, tech_cause=end.tech_cause, ring_ms=self._ms()
        )
        if await self._told(missed) is False:
            return None
        self._call.record.missed_by(agent, why, self._call.now_ms())
        self._call.ringing.discard(self.offer.token)  # not when a hang-up cuts this short
        return why

    async def _told(self, telling: Awaitable[T]) -> T | None:
        """What the ACD says; None while Redis is away: what it was not told lapses with the offer's lease."""
        try:
            return await telling
        except LineDown as fault:
            log.warning("offer.redis_away", call=self._call.record.id, error=str(fault))
            return None

    def _ms(self) -> int:
        return round((time.monotonic() - self._began) * 1000)
