"""The story of an inbound call, from the first ring to its row in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog

from engine.acd import Missed
from engine.asterisk.ari import AriError
from engine.asterisk.channel import NORMAL, CallerLeg, Channel
from engine.call.conversation import Conversation
from engine.call.extension import Owner, queue_of
from engine.call.mailbox import Mailbox
from engine.call.offer import Answer
from engine.call.outside import Outside
from engine.call.phase import Phase
from engine.call.queueing import in_queue
from engine.call.record import CallRecord, now_ms
from engine.call.switchboard import Switchboard
from engine.call.waiting import Waiting
from engine.chores import Chores
from engine.config.queues import Queue
from engine.flow.claim import announce, head_start_s, music, tier_of
from engine.flow.leg import ANY_KEY, HungUp
from engine.flow.patience import with_music
from engine.flow.runner import Walk
from engine.flow.steps import Ended, ToQueue
from engine.flow.steps.base import Away, ToAgent, ToNumber
from engine.flow.visit import Visit, speak
from engine.identity.numbers import Caller
from engine.journal.events import (
    CallAnswered,
    CallEnded,
    CallRecovered,
    Event,
)
from engine.redis_line import LineDown, surely
from engine.store.rows import EndReason

log = structlog.get_logger()

LEGS_LEAVE_S = 2.0
# How long a call's last event may wait for Redis to come back.
ACCOUNT_S = 60.0


class InboundCall:
    """One caller, from arrival to accounting. One task runs it; others only put into `notices` what the ACD tells."""

    now_ms = staticmethod(now_ms)

    def __init__(self, board: Switchboard, leg: CallerLeg, record: CallRecord, caller: Caller) -> None:
        self.board = board
        self.leg = leg
        self.record = record
        self.caller = caller
        self.notices = Mailbox()
        self.wait: Waiting | None = None  # that has a place in line
        self.ringing: set[str] = set()  # tokens of the offers whose phones ring
        self.moved_to = ""  # the queue where a supervisor has sent the caller
        self.closing: EndReason | None = None
        self._left_as = ""  # why the caller has left a line, when Redis was away and still has them in it
        self._leaving: asyncio.Task[None] | None = None
        self._conversation: Conversation | None = None
        self.site = board.site  # the version that it began with, to its end
        self.leg.language = record.language
        self._walk = Walk(
            self.site.flows, record.flow, record.step or None, record.callers, record.visits, on_enter=self._enter
        )

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
        """Through the flows, away to somebody, and back into the flows, until one of them ends the call."""
        visit, away = self._visit(), self.record.away
        while True:
            if away is None:
                departure = await self._walk.onward(visit)
                if isinstance(departure, Ended):
                    return await self._hang_up(self._reason(departure.reason), departure.cause)
                away = self.record.away = departure
            outcome = await self._away(away, conversation)
            conversation = None
            if outcome == "served" and "served" not in away.branches:
                return await self._hang_up(self._served())
            if not self._walk.follow(away.back(outcome)):
                lost = EndReason.TIMED_OUT if outcome == "timed_out" else EndReason.FLOW_HANGUP
                return await self._hang_up(self._reason(lost))
            await self._return_to_flow()
            away = None

    def _visit(self) -> Visit:
        record = self.record
        return Visit(
            leg=self.leg,
            site=self.site,
            services=self.board.services,
            note=self.note,
            caller=self.caller,
            call_id=record.id,
            dialled=record.dialled,
            variables=record.variables,
            answer=self.answer,
            placed_ms=lambda: record.placed_ms,
        )

    async def answer(self) -> None:
        """Takes the caller's call, unless it is taken. Raises HungUp."""
        if self.record.answered_ms is None:
            await self.leg.answer()
            self.record.answered_ms = now_ms()
            self.note(CallAnswered)

    def _enter(self) -> None:
        record, walk = self.record, self._walk
        record.flow, record.step, record.callers, record.visits = walk.flow, walk.step or "", walk.callers, walk.visits
        place = f"{record.flow}/{record.step}"
        if record.flow_path[-1:] != [place]:  # a successor enters the step again where it was cut short
            record.flow_path.append(place)
        self.save()

    def _reason(self, of_flow: str) -> EndReason:
        """Whoever has talked to somebody has been served, whatever the flow said to them afterwards."""
        return self._served() if self.record.connected_ms else EndReason(of_flow)

    def _served(self) -> EndReason:
        record = self.record
        return EndReason.COMPLETED_BY_OUTSIDE if record.outside and not record.agent else EndReason.COMPLETED_BY_AGENT

    async def _away(self, away: Away, conversation: Conversation | None) -> str:
        """The caller is with somebody, or waits for them; how that ended, while they are still there."""
        found = conversation or await self._reached(away)
        if isinstance(found, str):
            return found
        await found.until_agent_leaves()
        return "served"

    async def _reached(self, away: Away) -> Conversation | str:
        """Both can talk, or the outcome."""
        if isinstance(away, ToNumber):
            return await Outside(self, away).conversation()
        if self.record.phase is Phase.FLOW:
            self.record.head_start_s, self.record.strict = head_start_s(self.site, self.record.variables), 0
            await announce(self.record.variables, self.say)
        if isinstance(away, ToAgent):
            return await Owner(self, away).conversation()
        assert isinstance(away, ToQueue)  # noqa: S101 - there are no others (base.py)
        return await in_queue(self, away)

    @property
    def talks(self) -> Conversation | None:
        """The caller and somebody else, from the answer on."""
        return self._conversation

    def talk_with(self, leg: Channel, token: str = "") -> Conversation:
        """A leg has been answered and is the caller's: from here on the call's end is its end."""
        self.record.go(Phase.TALKING)
        self._conversation = Conversation(self, leg, token)
        return self._conversation

    def answered_by(self, answer: Answer) -> Conversation:
        """An agent has answered, and the call is theirs."""
        self.record.agent, self.record.ring_ms = answer.offer.agent, answer.ring_ms
        self.record.outside_trunk = answer.trunk
        self.ringing.clear()
        return self.talk_with(answer.leg, answer.token)

    async def connected(self, conversation: Conversation) -> bool:
        """The agent and the caller can talk; False when the agent was gone before the first word, and the caller is
        back at their place. Raises AriError, LineDown; HungUp comes from the call's scope."""
        if await conversation.begin():
            self.board.last_agents.note(self.record.number, self.record.agent)
            self.board.records.save_now(self.record)
            return True
        with suppress(LineDown):  # found out when Redis is back (again.py)
            await self.board.acd.miss(conversation.token, Missed.DUMPED, ring_ms=self.record.ring_ms)
        self.record.missed_by(self.record.agent, Missed.DUMPED, now_ms())
        self._conversation = None
        self.record.go(Phase.WAITING)
        return False

    def leaves_line(self, reason: str) -> None:
        """While Redis is away the caller goes on in the flow; their item leaves the ACD when it is back."""
        self._left_as = reason
        self._leaving = Chores("call").begin(surely(self.out_of_line))

    async def out_of_line(self) -> None:
        """Takes out what Redis may still have of a line that the caller has left; before they stand in another, where
        they would be taken for somebody who is in line already. Raises LineDown."""
        if self._left_as:
            acd, reason = self.board.acd, self._left_as
            await acd.withdraw(self.item, reason) or await acd.leave(self.item, reason=reason)
            self._left_as = ""

    async def _return_to_flow(self) -> None:
        """Takes down what the caller was in with somebody else."""
        record = self.record
        if self._conversation is not None:
            await self._conversation.end(now_ms())
            await self._take_bridge_down()  # before anything that may take long: nothing is heard in there
            self._conversation = None
            record.announced = None  # it has come true
            await with_music(self.leg, self._end_item(EndReason.COMPLETED_BY_AGENT))
        record.away = None
        if record.phase is not Phase.FLOW:
            record.go(Phase.FLOW)

    async def _hang_up(self, reason: EndReason, cause: int = NORMAL) -> EndReason:
        """Ends the caller's leg; the reason stands before its end comes back to us as a HungUp."""
        self.closing = reason
        await self.leg.hang_up(cause)
        return reason

    def _reason_of_hangup(self) -> EndReason:
        if self.leg.gone.done() and self.leg.gone.result().lost:
            return EndReason.SYSTEM_FAILURE
        if self.record.phase is Phase.TALKING:
            # Not connected: the caller left in the moment in which the agent answered.
            return EndReason.COMPLETED_BY_CALLER if self.record.connected_ms else EndReason.ABANDONED_RINGING
        if self.record.phase is Phase.WAITING:
            return EndReason.ABANDONED_RINGING if self.ringing else EndReason.ABANDONED_WAITING
        if self.record.phase is Phase.DIALLING:
            return EndReason.ABANDONED_RINGING
        return self._reason(EndReason.ABANDONED_IVR)

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
            await self._conversation.end(ended_ms)
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
            await self.leg.until(self.leg.gone.done, LEGS_LEAVE_S)
            await self._take_bridge_down()

    async def _end_item(self, reason: EndReason) -> None:
        """Takes the call out of the ACD; while Redis is away, again and again."""
        record, acd = self.record, self.board.acd
        if record.is_outside:  # the ACD has never heard of it
            return

        async def take_out() -> None:
            # An agent may have been accepted, or not yet, in the very moment in which the caller left.
            if record.phase is Phase.TALKING:
                await acd.leave(self.item, reason=reason) or await acd.withdraw(self.item, reason)
            elif record.phase is Phase.WAITING:
                gone = reason in (EndReason.ABANDONED_WAITING, EndReason.ABANDONED_RINGING)
                await acd.withdraw(self.item, reason, keep_place=gone) or await acd.leave(self.item, reason=reason)

        await surely(take_out)

    async def _take_bridge_down(self) -> None:
        """Not before those who leave have left: a bridge deleted under its channels overwrites their causes
        (pitfall 17)."""
        if self._conversation is not None:
            await self._conversation.agent_leg.until(self._conversation.agent_leg.gone.done, LEGS_LEAVE_S)
        bridge, self.record.bridge = self.record.bridge, ""
        if bridge:
            with suppress(AriError):
                await self.board.node.unbridge(bridge)

    # What steps, offers and announcements use.

    @property
    def item(self) -> str:
        """What the ACD knows the call by."""
        return self.record.item_id

    @property
    def originator(self) -> str:
        """The channel on whose behalf agents' phones ring; "" for none."""
        return self.leg.id

    @property
    def queue_settings(self) -> Queue:
        """The queue that the caller is in, or the wait for one agent as if it were one."""
        if isinstance(self.record.away, ToAgent):
            return queue_of(self.record.away)
        return self.site.queues[self.record.queue]

    @property
    def music(self) -> str:
        """What the caller hears while waiting: their tier's music, or the queue's."""
        return music(self.queue_settings, self.site, self.record.variables)

    def note(self, kind: type[Event], /, **payload: Any) -> None:
        """Writes an event of this call into the journal."""
        self.board.journal.append(kind(self.record.id, now_ms(), **payload))

    def save(self) -> None:
        """What a successor must know, as it is now."""
        record = self.record
        record.customer_name = str(record.variables.get("customer.name") or "")
        record.tier = tier_of(record.variables)
        record.language = self.leg.language
        self.board.records.save(self.record)

    async def say(self, prompts: Sequence[str], *, stops: str = ANY_KEY) -> bool:
        """Plays prompts and notes what the caller heard; False when a key cut it short. Raises HungUp."""
        return await speak(self.leg, self.site, self.note, prompts, stops=stops)

    def prompt_for_agents(self, prompt: str) -> str:
        """What Asterisk plays to an agent: in the language of the number that the caller has dialled."""
        number = self.site.hotline.numbers.get(self.record.dialled)
        return f"sound:{self.site.sound(prompt, number.language if number else self.record.language)}"

    def recovered(self) -> None:
        """This engine has found the call of its predecessor."""
        self.note(CallRecovered, phase=self.record.phase)

    def shown_to_agent(self) -> str:
        """What the phone's display shows: the customer's name and the number, safe for a SIP header."""
        name = self.record.customer_name or self.record.area
        number = self.record.number.removeprefix("+86") or "anonymous"
        clean = "".join(letter for letter in name if letter.isprintable() and letter not in '"\\<>')
        return f'"{clean}" <{number}>' if clean else f"<{number}>"
