"""An engine that starts finds the calls of its predecessor; one that reconnects, those that it missed.

Asterisk is asked what is there, the records say what it was. The talking talk on, the waiting keep their
place, and a leg that nobody owns is hung up.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import structlog

from engine.acd import Acd, ItemState, Missed
from engine.asterisk.ari import AriError
from engine.asterisk.channel import CallerLeg
from engine.asterisk.node import Node
from engine.call.callbacks import Callbacks
from engine.call.calls import Calls
from engine.call.conversation import Conversation
from engine.call.inbound import InboundCall
from engine.call.phase import Phase
from engine.call.record import CallRecord
from engine.callbacks import is_callback
from engine.flow.leg import HungUp
from engine.identity.numbers import Caller
from engine.items import Board, is_item
from engine.redis_line import LineDown, surely

log = structlog.get_logger()


class Recovery:
    """Re-enters each recorded call at its phase; run once, when Asterisk has told what it still has."""

    def __init__(self, calls: Calls, node: Node, acd: Acd, board: Board, callbacks: Callbacks) -> None:
        self._calls, self._node, self._acd, self._board, self._callbacks = calls, node, acd, board, callbacks
        self._expected: set[str] = set()

    def expect(self, records: Sequence[CallRecord]) -> None:
        """Calls that will be taken over. What the ACD tells of them before is in its answer when they are."""
        self._expected = {record.item_id for record in records}

    def expects(self, item: str) -> bool:
        """Whether its call is still to be taken over."""
        return item in self._expected

    async def take_over(self, records: Sequence[CallRecord], strangers: Sequence[dict[str, Any]]) -> None:
        """Whoever talks, or is in a flow, goes on at once; whoever waits, when Redis has said at which place."""
        there = {about["id"]: about for about in strangers}
        found = [self._found(record, there) for record in records]
        waiting = [call for call, _ in found if _is_in_line(call.record)]
        self._expected = {call.item for call in waiting}
        for call, conversation in found:
            if call.record.callback:
                await self._callbacks.goes_on(call.record)
            if call.item not in self._expected:
                self._go_on(call, conversation)
        self.strangers(list(there.values()))
        await self._take_over_items(records, waiting)
        await self._take_down_unknown_bridges(records)
        for call in waiting:
            self._go_on(call)
        if records:
            log.info("calls.recovered", calls=len(records))

    async def _take_over_items(self, records: Sequence[CallRecord], waiting: Sequence[InboundCall]) -> None:
        """What the ACD has of calls, of callbacks, and of what is no call; new callers, who are ours, are among it."""
        adopted = await self._adopted(waiting)
        expected, self._expected = self._expected, set()
        for call in waiting:
            self._calls.hold(call)
        await self._board.take_over([item for item in adopted if is_item(item.id)])
        items = {item.id: item for item in adopted if not is_item(item.id)}
        for record in records:
            item = items.pop(record.item_id, None)
            if item is None:
                continue
            if record.phase is Phase.FLOW and record.queued_ms and not record.callback:
                await self._forget(item)  # they had left the line when Redis was away
            elif item.id in expected or record.phase is Phase.FLOW:
                await self._settle(record, item)
        ownerless = [item for item in items.values() if item.id not in self._calls]
        await self._callbacks.take_over([item for item in ownerless if is_callback(item.id)])
        for item in ownerless:
            if not is_callback(item.id):
                await self._forget(item)

    async def _adopted(self, waiting: Sequence[InboundCall]) -> list[ItemState]:
        """Redis may be away in this very moment, and what was playing when our predecessor died has come to its end."""
        try:
            return await self._acd.adopt()
        except LineDown as fault:
            log.warning("calls.wait_for_redis", waiting=len(waiting), error=str(fault))
        for call in waiting:
            if call.record.phase is Phase.WAITING:
                with suppress(HungUp, KeyError):  # that queue may be gone: the call will find out
                    await call.leg.hold_music(True, call.music)
        return await surely(self._acd.adopt)

    def _go_on(self, call: InboundCall, conversation: Conversation | None = None) -> None:
        call.recovered()
        self._calls.start(call, conversation)

    def strangers(self, abouts: Sequence[dict[str, Any]]) -> None:
        """Channels in our application that no call owns: agents' legs end, callers begin."""
        for about in abouts:
            place = about["dialplan"]
            # A leg that an engine made; callers come from a number of the dialplan's, or with an errand of its.
            if place["exten"] in ("", "s") and "," not in place["app_data"]:
                self._node.end_stranger(about["id"])
            else:
                self._node.arrive(about)

    async def _take_down_unknown_bridges(self, records: Sequence[CallRecord]) -> None:
        """Our predecessor died between making a bridge and noting it."""
        try:
            bridges = await self._node.bridges()
            noted = {record.bridge for record in records}
            new_calls = {record.id for record in self._calls.records()} - {record.id for record in records}
            for bridge in bridges:
                call_id, ours, _ = bridge.rpartition("-b")
                if ours and bridge not in noted and call_id not in new_calls:
                    await self._node.unbridge(bridge)
        except AriError as fault:  # whoever waits need not wait for this
            log.warning("bridges.not_looked_through", error=str(fault))

    def _found(self, record: CallRecord, there: dict[str, dict[str, Any]]) -> tuple[InboundCall, Conversation | None]:
        leg = self._caller_leg(record, there)
        call = self._calls.of(leg, record, _caller_of(record))
        if record.callback:
            call.board.outside_lines.hold(record.trunk, leg)
        return call, self._conversation(call, there)

    def _caller_leg(self, record: CallRecord, there: dict[str, dict[str, Any]]) -> CallerLeg:
        about = there.pop(record.channel, None)
        if about is not None:
            return self._node.adopt_caller(about)
        return self._node.absent_caller(record.channel, lost=record.arrived_ms < self._node.started_ms)

    def _conversation(self, call: InboundCall, there: dict[str, dict[str, Any]]) -> Conversation | None:
        record = call.record
        if record.phase is not Phase.TALKING:
            return None
        about = there.pop(record.agent_channel, None)
        leg = self._node.adopt_agent(about) if about else self._node.absent_agent(record.agent_channel)
        if record.outside_trunk:
            call.board.outside_lines.hold(record.outside_trunk, leg)
        return Conversation(call, leg)

    async def _settle(self, record: CallRecord, item: ItemState) -> None:
        """Whose phone rang when our predecessor died is not to blame for it."""
        # The ACD knows of an offer that the record was not yet told of.
        record.offers = max(record.offers, item.attempt)
        for offer in item.offers:
            await surely(partial(self._acd.miss, offer.token, Missed.FAILED, ring_ms=0))

    async def _forget(self, item: ItemState) -> None:
        """An item whose call left no record."""
        gone = self._acd.leave if item.state == "talking" else self._acd.withdraw
        await surely(partial(gone, item.id, reason="engine_restarted"))


def _is_in_line(record: CallRecord) -> bool:
    """Whether it is the ACD's turn: an agent may be reserved for them, also while a callback is being confirmed."""
    return record.phase is Phase.WAITING or (record.phase is Phase.FLOW and bool(record.callback))


def _caller_of(record: CallRecord) -> Caller:
    return Caller(
        raw=record.raw,
        number=record.number,
        presentation=record.presentation,  # type: ignore[arg-type]  # it was one of them when it was written
        area=record.area,
        carrier=record.carrier,
        name=record.customer_name,
    )
