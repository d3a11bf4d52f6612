"""An engine that starts finds the calls of its predecessor; one that reconnects, those that it missed.

Asterisk is asked what is there, the records say what it was. The talking talk on, the waiting keep their
place, and a leg that nobody owns is hung up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from engine.acd import Acd, ItemState, Missed
from engine.asterisk.channel import CallerLeg
from engine.asterisk.node import Node
from engine.call.callbacks import Callbacks
from engine.call.calls import Calls
from engine.call.conversation import Conversation
from engine.call.inbound import InboundCall
from engine.call.phase import Phase
from engine.call.record import CallRecord
from engine.callbacks import is_callback
from engine.identity.numbers import Caller
from engine.items import Board, is_item

log = structlog.get_logger()


class Recovery:
    """Re-enters each recorded call at its phase; run once, when Asterisk has told what it still has."""

    def __init__(self, calls: Calls, node: Node, acd: Acd, board: Board, callbacks: Callbacks) -> None:
        self._calls, self._node, self._acd, self._board, self._callbacks = calls, node, acd, board, callbacks

    async def take_over(self, records: Sequence[CallRecord], strangers: Sequence[dict[str, Any]]) -> None:
        """Raises LineDown when the ACD cannot be asked, AriError when Asterisk cannot."""
        there = {about["id"]: about for about in strangers}
        adopted = await self._acd.adopt()
        await self._board.take_over([item for item in adopted if is_item(item.id)])
        items = {item.id: item for item in adopted if not is_item(item.id)}
        held: list[tuple[InboundCall, Conversation | None]] = []
        for record in records:
            leg = self._caller_leg(record, there)
            call = self._calls.hold(leg, record, _caller_of(record))
            held.append((call, self._conversation(call, there)))
            if record.callback:
                await self._callbacks.goes_on(record)
                call.board.outside_lines.hold(record.trunk, leg)
        for record in records:
            await self._settle(record, items.pop(record.item or record.id, None))
        await self._callbacks.take_over([items.pop(item) for item in list(items) if is_callback(item)])
        for item in items.values():
            await self._forget(item)
        await self._take_down_unknown_bridges(records)
        for call, conversation in held:
            call.recovered()
            self._calls.start(call, conversation)
        await self.strangers(list(there.values()))
        if records:
            log.info("calls.recovered", calls=len(records))

    async def strangers(self, abouts: Sequence[dict[str, Any]]) -> None:
        """Channels in our application that no call owns: agents' legs end, callers begin."""
        for about in abouts:
            place = about["dialplan"]
            # A leg that an engine made; callers come from a number of the dialplan's, or with an errand of its.
            if place["exten"] in ("", "s") and "," not in place["app_data"]:
                await self._node.end_stranger(about["id"])
            else:
                self._node.arrive(about)

    async def _take_down_unknown_bridges(self, records: Sequence[CallRecord]) -> None:
        """Our predecessor died between making a bridge and noting it."""
        noted = {record.bridge for record in records}
        new_calls = {record.id for record in self._calls.records()} - {record.id for record in records}
        for bridge in await self._node.bridges():
            call_id, ours, _ = bridge.rpartition("-b")
            if ours and bridge not in noted and call_id not in new_calls:
                await self._node.unbridge(bridge)

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

    async def _settle(self, record: CallRecord, item: ItemState | None) -> None:
        """Brings the ACD's item in line with the call's phase; the agent is not to blame for our death."""
        if item is None or record.phase is Phase.TALKING:
            return
        # The ACD knows of an offer that the record was not yet told of.
        record.offers = max(record.offers, item.attempt)
        for offer in item.offers:
            await self._acd.miss(offer.token, Missed.FAILED, ring_ms=0)

    async def _forget(self, item: ItemState) -> None:
        """An item whose call left no record."""
        if item.state == "talking":
            await self._acd.leave(item.id, reason="engine_restarted")
        else:
            await self._acd.withdraw(item.id, "engine_restarted")


def _caller_of(record: CallRecord) -> Caller:
    return Caller(
        raw=record.raw,
        number=record.number,
        presentation=record.presentation,  # type: ignore[arg-type]  # it was one of them when it was written
        area=record.area,
        carrier=record.carrier,
        name=record.customer_name,
    )
