"""A leg that no queue decides: an outside number through a trunk, or a branch's phone.

The far end's early media is not passed on: the caller hears our ring-back tone or music until somebody answers. What
networks say there ("the number you have dialled …") they also say in the SIP status, which has a branch in the flow.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from engine.asterisk.channel import Channel, LegEnd
from engine.asterisk.node import LegOf
from engine.call.conversation import Conversation
from engine.call.offer import SILENT_PHONE_S
from engine.call.phase import Phase
from engine.config.dialling import NotAllowed, ways_out
from engine.flow.steps.base import ToNumber
from engine.journal.events import OutsideAnswered, OutsideDialled, OutsideFailed

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall


class Unreached(StrEnum):
    """Why nobody was reached; each is an outcome of the step, with its own branch."""

    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


# SIP status → what it says of the far end (RFC 3261, section 21). Behind a carrier 408 and 480 are phones that are
# switched off or ring unheard; whatever is not here means that no phone has rung.
_BY_STATUS = {
    403: Unreached.REFUSED,
    408: Unreached.NO_ANSWER,
    480: Unreached.NO_ANSWER,
    486: Unreached.BUSY,
    600: Unreached.BUSY,
    603: Unreached.BUSY,
}
# Q.850, for an Asterisk that does not tell the status (before 22.7).
_BY_CAUSE = {
    17: Unreached.BUSY,
    18: Unreached.NO_ANSWER,
    19: Unreached.NO_ANSWER,
    21: Unreached.BUSY,
}


def why_unreached(end: LegEnd) -> Unreached:
    """What the end of an unanswered leg says about the far end."""
    if end.tech_cause:
        return _BY_STATUS.get(end.tech_cause, Unreached.UNREACHABLE)
    return _BY_CAUSE.get(end.cause, Unreached.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class FarEnd:
    """Whom the leg goes to. `who`: E.164, a short number, or a branch's extension; `trunk` is "" for a phone."""

    who: str
    endpoint: str
    caller_id: str
    trunk: str = ""


class Outside:
    """One attempt to reach somebody, and the conversation with them."""

    def __init__(self, call: InboundCall, to: ToNumber) -> None:
        self._call, self._to = call, to
        self._began = 0.0

    async def conversation(self) -> Conversation | Unreached:
        """Both can talk, or why not. Raises AriError; HungUp comes from the call's scope."""
        try:
            far_end = self._far_end()
        except NotAllowed as refusal:
            return self._failed(Unreached.REFUSED, refusal.number, refusal.why)
        if far_end is None:
            return self._failed(Unreached.UNREACHABLE, self._to.number, "all_lines_taken")
        if self._call.record.phase is Phase.FLOW:  # a successor dials again
            self._call.record.go(Phase.DIALLING)
        self._call.board.records.save_now(self._call.record)
        leg = await self._reached(far_end)
        return leg if isinstance(leg, Unreached) else await self._joined(far_end, leg)

    def _far_end(self) -> FarEnd | None:
        """None when every line of the trunks that may be used is taken. Raises NotAllowed."""
        call, to = self._call, self._to
        if to.extension and not to.number:
            return FarEnd(to.extension, f"PJSIP/{to.extension}", call.shown_to_agent())
        way = call.board.outside_lines.free(ways_out(call.site.hotline, to.number, to.trunk))
        return FarEnd(way.number, way.endpoint, f"<{way.caller_id}>", way.trunk) if way else None

    async def _reached(self, far_end: FarEnd) -> Channel | Unreached:
        """The far end's answered leg. Whatever cuts this short, the far end stops ringing."""
        call, to = self._call, self._to
        self._began = time.monotonic()
        call.note(OutsideDialled, number=far_end.who, extension=to.extension, trunk=far_end.trunk)
        leg, dialled = call.board.node.originate(
            LegOf.OUTSIDE.id(f"{call.record.id}-{call.now_ms()}"),  # a successor may ring the same far end again
            far_end.endpoint,
            caller_id=far_end.caller_id,
            originator=call.leg.id,
            timeout_s=int(to.ring_s) + 2,
        )
        if far_end.trunk:
            call.board.outside_lines.hold(far_end.trunk, leg)
        answered = False
        try:
            await self._comfort()
            refused = await call.board.node.refusal(leg, dialled) is not None
            failure = Unreached.UNREACHABLE if refused else await self._until_answer(far_end, leg)
            if failure is not None:
                return self._failed(failure, far_end.who, end=leg.gone.result() if leg.gone.done() else None)
            answered = True
            return leg
        finally:
            self._call.leg.post("DELETE", "/ring")
            if not answered:
                leg.drop()

    async def _comfort(self) -> None:
        """What the caller hears meanwhile: a caller who is not answered yet, the ringing of their own carrier."""
        if self._to.music:
            await self._call.answer()
            await self._call.leg.hold_music(True, self._to.music)
        else:
            await self._call.leg.hold_music(False)
            self._call.leg.post("POST", "/ring")

    async def _until_answer(self, far_end: FarEnd, leg: Channel) -> Unreached | None:
        """None once answered. A phone of our own shows at once whether it is there; behind a trunk the network may
        take many seconds before anything rings, and need not say that it does (183)."""
        silent_s = self._to.ring_s if far_end.trunk else min(SILENT_PHONE_S, self._to.ring_s)
        if not await leg.until(lambda: leg.ringing or leg.up or leg.gone.done(), silent_s):
            return Unreached.NO_ANSWER if far_end.trunk else Unreached.UNREACHABLE
        left_s = self._to.ring_s - (time.monotonic() - self._began)
        await leg.until(lambda: leg.up or leg.gone.done(), left_s)
        if leg.up:  # perhaps gone again by now: the bridge finds out
            return None
        return why_unreached(leg.gone.result()) if leg.gone.done() else Unreached.NO_ANSWER

    async def _joined(self, far_end: FarEnd, leg: Channel) -> Conversation | Unreached:
        call, record = self._call, self._call.record
        record.ring_ms = self._ms()
        record.outside_trunk = far_end.trunk
        call.note(OutsideAnswered, number=far_end.who, ring_ms=record.ring_ms)
        conversation = call.talk_with(leg)
        await call.answer()
        before, record.outside = record.outside, far_end.who
        if record.connected_ms is None:
            record.agent = ""  # one who was offered the call before, and did not take it
        if await conversation.begin():
            call.board.records.save_now(record)
            return conversation
        record.outside = before
        return self._failed(Unreached.NO_ANSWER, far_end.who, end=leg.gone.result())

    def _failed(self, why: Unreached, number: str, detail: str = "", end: LegEnd | None = None) -> Unreached:
        self._call.note(
            OutsideFailed,
            number=number,
            reason=why,
            ring_ms=self._ms() if self._began else 0,
            cause=(end.cause or None) if end else None,
            tech_cause=end.tech_cause if end else None,
            detail=detail,
        )
        return why

    def _ms(self) -> int:
        return round((time.monotonic() - self._began) * 1000)
