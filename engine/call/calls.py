"""All calls of this engine: begins them, hands them their offers, and lets them end before the engine does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from engine.acd import Notice, Offer
from engine.asterisk.ari import AriError
from engine.asterisk.channel import CallerLeg
from engine.asterisk.dialplan import language_of
from engine.asterisk.node import Arrival
from engine.call.again import again
from engine.call.callback_call import CallbackCall
from engine.call.conversation import Conversation
from engine.call.errand import Errand
from engine.call.inbound import ACCOUNT_S, InboundCall
from engine.call.phase import Phase
from engine.call.queueing import hours_changed
from engine.call.record import CallRecord, new_call_id, now_ms
from engine.call.switchboard import Switchboard
from engine.flow.leg import HungUp
from engine.flow.visit import caller_facts
from engine.identity.numbers import Caller
from engine.journal.events import CallEnded
from engine.redis_line import each
from engine.store.rows import EndReason

log = structlog.get_logger()


def _came(call: InboundCall) -> int:
    return call.record.placed_ms or call.record.arrived_ms


class Calls:
    """The engine's calls by the ACD's id of each. One task each; they are started here, and are in no other list."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._calls: dict[str, InboundCall] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False

    def __len__(self) -> int:
        return len(self._calls)

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._calls

    def records(self) -> list[CallRecord]:
        """What is going on now."""
        return [call.record for call in self._calls.values()]

    def arrive(self, arrival: Arrival) -> None:
        """A caller whom the dialplan has handed over."""
        board = self._board
        number = board.site.hotline.numbers.get(arrival.dialled)
        caller = board.site.hotline.caller(arrival.number, trunk=arrival.trunk, presentation=arrival.presentation)
        record = CallRecord(
            id=new_call_id(),
            channel=arrival.leg.id,
            dialled=arrival.dialled,
            number=caller.number,
            raw=caller.raw,
            presentation=caller.presentation,
            area=caller.area,
            carrier=caller.carrier,
            trunk=arrival.trunk,
            language=language_of(arrival.language) if arrival.errand or not number else number.language,
            flow=number.flow if number else "",
            errand=list(arrival.errand),
            variables=caller_facts(caller, dialled=arrival.dialled, trunk=arrival.trunk),
            config_version=board.site.version,
            arrived_ms=now_ms(),
        )
        board.journal.append(record.arrived())
        if number is None and not arrival.errand:
            log.warning("call.unknown_number", dialled=arrival.dialled, remedy="add it to dialplan/hotline.yaml")
            arrival.leg.drop("unallocated")
            self._spawn(self._account(record, EndReason.REJECTED))
        elif self._draining:
            self._spawn(self._give_back(arrival.leg, record))
        else:
            self.begin(self.of(arrival.leg, record, caller))

    def of(self, leg: CallerLeg, record: CallRecord, caller: Caller) -> InboundCall:
        """The call that a record tells of; nobody knows of it before `hold` or `start`."""
        kind = CallbackCall if record.callback else Errand if record.errand else InboundCall
        return kind(self._board, leg, record, caller)

    def hold(self, call: InboundCall) -> None:
        """Makes a call known, so that offers find it; `start` sets it going."""
        self._calls[call.item] = call

    def begin(self, call: InboundCall) -> None:
        """A call that has just come, or that we have made: a successor will find it, too."""
        self._board.records.open(call.record)
        self.start(call)

    def start(self, call: InboundCall, conversation: Conversation | None = None) -> None:
        """Runs a call to its end."""
        self.hold(call)
        self._spawn(self._run(call, conversation))

    async def _run(self, call: InboundCall, conversation: Conversation | None) -> None:
        try:
            await call.run(conversation)
        finally:
            del self._calls[call.item]

    async def _give_back(self, leg: CallerLeg, record: CallRecord) -> None:
        """An engine about to stop takes no new callers: the dialplan's fallback does, or who wrote the errand."""
        try:
            if record.errand:
                await leg.command("POST", "/variable", variable="HOTLINE_OUTCOME", value="no_engine")
                await self._board.node.go_on(leg)
            else:
                await self._board.node.hand_back(leg, "fallback")
        except (AriError, HungUp):
            leg.drop()
        await self._account(record, EndReason.FALLBACK)

    async def _account(self, record: CallRecord, reason: EndReason) -> None:
        ended_ms = now_ms()
        row = record.row(reason, ended_ms)
        await self._board.journal.append_surely(
            CallEnded(record.id, ended_ms, reason=reason, record=row), deadline_s=ACCOUNT_S
        )

    def noticed(self, notice: Notice) -> None:
        """The ACD has something to tell of one of our calls."""
        call = self._calls.get(notice.item)
        if call is not None:
            call.notices.put(notice)
        elif isinstance(notice, Offer):
            self._spawn(self._return_offer(notice))

    async def _return_offer(self, offer: Offer) -> None:
        """The caller left while the offer was on its way."""
        await self._board.acd.withdraw(offer.item, "call_gone")

    async def again(self) -> None:
        """Puts back what Redis has lost of them, who came first first. Raises LineDown."""
        calls = [call for call in self._calls.values() if call.record.phase is not Phase.ENDED]
        for call in calls:
            self._board.records.open(call.record)
        await each(sorted(calls, key=_came), again)

    async def hours_changed(self) -> None:
        """An operator has decided about opening hours: it holds for those who wait, too. Raises LineDown."""
        await each([call for call in self._calls.values() if call.record.phase is Phase.WAITING], hours_changed)

    async def drain(self, limit_s: float) -> None:
        """Takes no more callers, waits for those there are, and after `limit_s` seconds ends the rest."""
        self._draining = True
        if self._tasks:
            log.info("calls.draining", calls=len(self._calls), limit_s=limit_s)
            await asyncio.wait(self._tasks, timeout=limit_s)
        for call in self._calls.values():
            call.closing = EndReason.SHUTDOWN
            call.leg.drop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    def _spawn(self, story: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(story)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            log.error("call.cancelled", remedy="its row may be missing: this is a fault of ours")
        elif task.exception() is not None:
            log.error("call.task_failed", exc_info=task.exception())
