"""The story of a callback's call, from the moment in which the customer's phone is answered to its row."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from engine.asterisk.channel import CallerLeg
from engine.call.confirming import KEY, pressed
from engine.call.conversation import Conversation
from engine.call.inbound import InboundCall
from engine.call.offer import Answer
from engine.call.phase import Phase
from engine.call.queueing import in_queue
from engine.call.record import CallRecord, now_ms
from engine.call.reserved import Reserved
from engine.call.switchboard import Switchboard
from engine.config.prompts import CALLBACK_CONFIRM, CALLBACK_NOBODY
from engine.config.queues import CallingBack
from engine.flow.steps import ToQueue
from engine.identity.numbers import Caller
from engine.journal.events import CallbackConfirmed, CallRecovered, IvrDigit
from engine.redis_line import LineDown
from engine.store.rows import EndReason

# Between two repetitions of the question, while the key counts as well.
PAUSE_S = 2.0
_SHOWN = {"zh-CN": "回拨", "en": "Callback"}


class CallbackCall(InboundCall):
    """A customer whom we have called back. A mailbox does not press the key; whoever does talks with the agent who is
    on the line already, or waits for the one who is reserved, at the callback's place in the queue."""

    def __init__(self, board: Switchboard, leg: CallerLeg, record: CallRecord, caller: Caller) -> None:
        super().__init__(board, leg, record, caller)
        self.reserved = Reserved(self)

    async def _serve(self, conversation: Conversation | None) -> EndReason:
        if conversation is None and self.record.phase is Phase.FLOW:
            if not await self._confirmed():
                return await self._hang_up(EndReason.NOT_CONFIRMED)
            self.note(CallbackConfirmed, callback=self.record.callback)
            self.board.callbacks.confirmed(self.record)
        found = conversation or await self._joined()
        if isinstance(found, str):
            with suppress(TimeoutError):
                await self.say([CALLBACK_NOBODY])
            return await self._hang_up(EndReason.TIMED_OUT)
        await found.until_agent_leaves()
        return await self._hang_up(self._served())

    async def _confirmed(self) -> bool:
        """Whether they press the key; False also when nobody wants the callback any more."""
        return await self.reserved.during(asyncio.ensure_future(self._asks())) is True

    async def _asks(self) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout((self.queue_settings.callbacks or CallingBack()).confirm):
                await pressed(
                    self.leg,
                    lambda: self.say([CALLBACK_CONFIRM], stops=KEY),
                    pause_s=PAUSE_S,
                    heard=lambda key: self.note(IvrDigit, digit=key),
                )
                return True
        return False

    async def _joined(self) -> Conversation | str:
        """Both can talk, or why the customer has waited in vain."""
        self.record.queued_ms = self.record.queued_ms or now_ms()
        agent = self.reserved.take()
        if agent is not None:
            conversation = await self._with(agent)
            if conversation is not None:
                return conversation
        to = self.record.away
        assert isinstance(to, ToQueue)  # noqa: S101 - whoever makes a callback's record says so
        return await in_queue(self, to)

    async def _with(self, agent: Answer) -> Conversation | None:
        """None when the offer was taken back, or the agent has just left: there will be another."""
        accepted = False
        try:
            with suppress(LineDown):  # the customer waits, and hears music
                accepted = await self.board.acd.accept(agent.token)
            if accepted:
                self.record.go(Phase.WAITING)
                conversation = self.answered_by(agent)
                return conversation if await self.connected(conversation) else None
        finally:
            if not accepted:
                agent.leg.drop()
        return None

    async def connected(self, conversation: Conversation) -> bool:
        """Also the callback has come to its end then."""
        both = await super().connected(conversation)
        if both:
            self.board.callbacks.bridged(self.record)
        return both

    def leaves_line(self, reason: str) -> None:
        """The callback may be tried again: what becomes of its item is said at the call's end."""

    async def _end_item(self, reason: EndReason) -> None:
        self.reserved.let_go()
        await self.board.callbacks.over(self.record, reason)

    def _reason_of_hangup(self) -> EndReason:
        reason = super()._reason_of_hangup()
        return EndReason.NOT_CONFIRMED if reason is EndReason.ABANDONED_IVR else reason

    async def _rescue(self) -> EndReason:
        """The dialplan's fallback is for those who have called us."""
        self.leg.drop()
        return EndReason.SYSTEM_FAILURE

    # What offers use.

    @property
    def originator(self) -> str:
        """Before they have answered there is no channel of theirs."""
        return self.leg.id if self.record.answered_ms else ""

    def save(self) -> None:
        """Before that there is nothing to save either."""
        if self.record.answered_ms:
            super().save()

    def shown_to_agent(self) -> str:
        """That it is a callback, and whom it goes to."""
        shown, _, number = super().shown_to_agent().rpartition("<")
        what = _SHOWN.get(self.record.language, _SHOWN["en"])
        name = shown.strip().strip('"')
        return f'"{what} {name}" <{number}' if name else f'"{what}" <{number}'

    def recovered(self) -> None:
        """An engine before this one has made the call."""
        self.note(CallRecovered, phase=self.record.phase)
