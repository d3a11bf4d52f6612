"""The story of an inbound call, from the first ring to its row in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog

from engine.acd import Missed, Offer
from engine.asterisk.ari import AriError
from engine.asterisk.channel import CallerLeg
from engine.call.conversation import Conversation
from engine.call.phase import Phase
from engine.call.record import CallRecord, now_ms
from engine.call.switchboard import Switchboard
from engine.call.waiting import Waiting
from engine.config.models import Queue
from engine.flow import runner
from engine.flow.leg import HungUp
from engine.flow.steps import Ended, ToQueue, Visit
from engine.identity.numbers import Caller
from engine.journal.events import (
    CallAnswered,
    CallEnded,
    CallIdentified,
    CallRecovered,
    Event,
    IvrPlayed,
    LookupFinished,
    LookupStarted,
)
from engine.redis_line import LineDown
from engine.store.rows import EndReason

log = structlog.get_logger()

LEGS_LEAVE_S = 2.0
REDIS_AGAIN_S = 0.5
# How long a call's last event may wait for Redis to come back.
ACCOUNT_S = 60.0


class InboundCall:
    """One caller, from arrival to accounting. One task runs it; others only put offers into `offers`."""

    now_ms = staticmethod(now_ms)

    def __init__(self, board: Switchboard, leg: CallerLeg, record: CallRecord, caller: Caller) -> None:
        self.board = board
        self.leg = leg
        self.record = record
        self.caller = caller
        self.offers: asyncio.Queue[Offer] = asyncio.Queue()
        self.phone_rings = False
        self.closing: EndReason | None = None
        self._conversation: Conversation | None = None
        self.leg.language = record.language

    async def run(self, conversation: Conversation | None = None) -> None:
        """From wherever the record says the call is, to its end. Nothing escapes but cancellation."""
        reason = EndReason.SYSTEM_FAILURE
        self._conversation = conversation  # held from here on: the caller may have left while no engine watched
        try:
            async with self.leg.while_alive():
                reason = await self._serve(conversation)
        except HungUp:
            reason = self._reason_of_hangup()
        except Exception:
            log.exception("call.failed", call=self.record.id, phase=self.record.phase)
            reason = await self._rescue()
        finally:
            await self._close(self.closing or reason)

    async def _serve(self, conversation: Conversation | None) -> EndReason:
        if conversation is not None:
            return await self._talk(conversation)
        if self.record.answered_ms is None:
            await self._answer()
        step: str | None = self.record.step or None
        while True:
            destination = await self._follow_flow(step)
            if isinstance(destination, Ended):
                return await self._hang_up(EndReason(destination.reason))
            conversation = await self._conversation_from(destination)
            if conversation is not None:
                return await self._talk(conversation)
            step = destination.branches.get("timed_out")
            if step is None:
                return await self._hang_up(EndReason.TIMED_OUT)
            self.record.go(Phase.FLOW)

    async def _answer(self) -> None:
        await self.leg.answer()
        self.record.answered_ms = now_ms()
        self.note(CallAnswered)

    async def _follow_flow(self, step: str | None) -> ToQueue | Ended:
        visit = Visit(self.leg, self.say, self._look_up, self.note, self.record.variables)
        flow = self.board.site.flows[self.record.flow]
        return await runner.run(self.record.flow, flow, visit, step, entered=self._enter)

    def _enter(self, step: str) -> None:
        self.record.step = step
        place = f"{self.record.flow}/{step}"
        if self.record.flow_path[-1:] != [place]:  # a successor enters the step again where it was cut short
            self.record.flow_path.append(place)
        self.save()

    async def _look_up(self) -> str:
        record = self.record
        url = self.board.site.hotline.identity.url if self.board.site.hotline.identity else ""
        self.note(LookupStarted, url=url)
        answer = await self.board.identity.look_up(
            self.caller, dialled=record.dialled, call_id=record.id, variables=record.variables
        )
        said = answer.customer.model_dump(exclude_defaults=True) if answer.customer else None
        self.note(LookupFinished, outcome=answer.outcome, ms=answer.ms, answer=said, detail=answer.detail)
        if answer.customer is not None:
            record.customer_name, record.tier = answer.customer.name, answer.customer.tier
            tier = self.board.site.hotline.tiers.get(record.tier)
            record.head_start_s = tier.head_start if tier else 0.0
        if answer.route is not None:
            record.head_start_s = max(record.head_start_s, answer.route.priority)
        self.note(CallIdentified, outcome=answer.outcome, customer=said, ms=answer.ms, cached=answer.cached)
        return answer.outcome

    async def _conversation_from(self, destination: ToQueue) -> Conversation | None:
        """Waits for an agent until both can talk; None when the longest wait is over."""
        self.record.queue = destination.queue
        if self.record.phase is Phase.FLOW:
            self.record.go(Phase.WAITING)
        while True:
            answer = await Waiting(self, destination).for_agent()
            if answer is None:
                return None
            self._conversation = Conversation(self, answer.leg, answer.token)
            self.record.go(Phase.TALKING)
            if await self._conversation.begin():
                self.board.records.save_now(self.record)
                return self._conversation
            # Gone before the first word: the caller waits on, at the same place.
            await self.board.acd.miss(self._conversation.token, Missed.DUMPED, ring_ms=self.record.ring_ms)
            self._conversation = None
            self.record.go(Phase.WAITING)

    async def _talk(self, conversation: Conversation) -> EndReason:
        self._conversation = conversation
        await conversation.until_agent_leaves()
        return await self._hang_up(EndReason.COMPLETED_BY_AGENT)

    async def _hang_up(self, reason: EndReason) -> EndReason:
        """Ends the caller's leg; the reason stands before its end comes back to us as a HungUp."""
        self.closing = reason
        await self.leg.hang_up()
        return reason

    def _reason_of_hangup(self) -> EndReason:
        if self.leg.gone.done() and self.leg.gone.result().lost:
            return EndReason.SYSTEM_FAILURE
        if self.record.phase is Phase.TALKING:
            # Not connected: the caller left in the moment in which the agent answered.
            return EndReason.COMPLETED_BY_CALLER if self.record.connected_ms else EndReason.ABANDONED_RINGING
        if self.record.phase is Phase.WAITING:
            return EndReason.ABANDONED_RINGING if self.phone_rings else EndReason.ABANDONED_WAITING
        return EndReason.ABANDONED_IVR

    async def _rescue(self) -> EndReason:
        """We could not serve the caller: the dialplan's fallback still rings the agents the plain way."""
        with suppress(HungUp, AriError):
            if not self.leg.gone.done():
                await self.board.node.hand_back(self.leg, "fallback")
                return EndReason.FALLBACK
        self.leg.drop()
        return EndReason.SYSTEM_FAILURE

    async def _close(self, reason: EndReason) -> None:
        """Frees everything the call held, in one place, and accounts for it."""
        record = self.record
        ended_ms = now_ms()
        if self._conversation is not None:
            await self._conversation.end()
        if reason is not EndReason.FALLBACK:
            self.leg.drop()
        with suppress(TimeoutError):  # the call is accounted for all the same; a successor frees its agent
            async with asyncio.timeout(ACCOUNT_S):
                await self._end_item(reason)
        record.go(Phase.ENDED)
        row = record.row(reason, ended_ms)
        await self.board.journal.append_surely(
            CallEnded(record.id, now_ms(), reason=reason, record=row), deadline_s=ACCOUNT_S
        )
        self.board.records.close(record)
        if record.bridge:
            await self._take_bridge_down()

    async def _end_item(self, reason: EndReason) -> None:
        """Takes the call out of the ACD; while Redis is away, again and again."""
        record, acd = self.record, self.board.acd
        while record.phase in (Phase.WAITING, Phase.TALKING):
            try:
                # An agent may have been accepted, or not yet, in the very moment in which the caller left.
                if record.phase is Phase.TALKING:
                    await acd.leave(record.id, reason=reason) or await acd.withdraw(record.id, reason)
                else:
                    await acd.withdraw(record.id, reason) or await acd.leave(record.id, reason=reason)
            except LineDown:
                await asyncio.sleep(REDIS_AGAIN_S)
            else:
                return

    async def _take_bridge_down(self) -> None:
        """Not before both legs have left: a bridge deleted under its channels overwrites their causes
        (pitfall 17)."""
        await self.leg.until(self.leg.gone.done, LEGS_LEAVE_S)
        if self._conversation is not None:
            await self._conversation.agent_leg.until(self._conversation.agent_leg.gone.done, LEGS_LEAVE_S)
        with suppress(AriError):
            await self.board.node.unbridge(self.record.bridge)

    # What steps, offers and announcements use.

    @property
    def queue_settings(self) -> Queue:
        """The queue that the caller is in."""
        return self.board.site.queues[self.record.queue]

    def note(self, kind: type[Event], /, **payload: Any) -> None:
        """Writes an event of this call into the journal."""
        self.board.journal.append(kind(self.record.id, now_ms(), **payload))

    def save(self) -> None:
        """What a successor must know, as it is now."""
        self.board.records.save(self.record)

    async def say(self, prompts: Sequence[str], *, interruptible: bool = True) -> bool:
        """Plays prompts and notes what the caller heard; False when a key cut it short. Raises HungUp."""
        texts = tuple(self.board.site.spoken(prompt, self.leg.language) for prompt in prompts)
        self.note(IvrPlayed, prompts=tuple(prompts), texts=texts, language=self.leg.language)
        return await self.leg.play(prompts, interruptible=interruptible)

    def recovered(self) -> None:
        """This engine has found the call of its predecessor."""
        self.note(CallRecovered, phase=self.record.phase)

    def shown_to_agent(self) -> str:
        """What the phone's display shows: the customer's name and the number, safe for a SIP header."""
        name = self.record.customer_name or self.record.area
        number = self.record.number.removeprefix("+86") or "anonymous"
        clean = "".join(letter for letter in name if letter.isprintable() and letter not in '"\\<>')
        return f'"{clean}" <{number}>' if clean else f"<{number}>"
