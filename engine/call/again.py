"""A call's item in the ACD, put back as it was: Redis was emptied, or has lost its last moments in a failover.

What Redis knows counts; what it lacks is told again. So whatever is found here may be done twice, and by somebody who
was first: the call itself goes on meanwhile, and its own end is the last word.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.acd import Cancelled, ItemState, Missed
from engine.call.phase import Phase
from engine.call.place import Place, Terms
from engine.call.queueing import still_open_ms, terms
from engine.config.policies import policy_of_agent
from engine.flow.steps.base import ToAgent, ToQueue

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

LOST = "redis_lost_it"
# Between two commands: out of everybody's sight for that long, should we die there.
HELD_MS = 10_000


async def again(call: InboundCall) -> None:
    """Raises LineDown."""
    if call.record.phase is Phase.WAITING:
        await _waits(call)
    elif call.record.phase is Phase.TALKING and not call.record.is_outside:
        await _talks(call)


async def _waits(call: InboundCall) -> None:
    """At the same place: it counts from when they first came. Phones that ring for an offer that is lost stop."""
    wait, record = call.wait, call.record
    if wait is None:
        return
    state = await call.board.acd.item(call.item)
    if call.wait is not wait:
        return
    known = {offer.token for offer in state.offers} if state else set()
    ringing = wait.ringing()
    for offer in ringing:
        if offer.token not in known:
            call.notices.put(Cancelled(offer.token, call.item, offer.agent, LOST))
    if state is None:
        await _queues(call)
    elif state.state == "talking":
        if state.token not in {offer.token for offer in ringing}:
            # Somebody answered while nobody could be told of it, and has hung up since.
            await call.board.acd.miss(state.token, Missed.DUMPED, ring_ms=record.ring_ms)
    else:
        for offer in state.offers:
            call.notices.put(offer)


async def _queues(call: InboundCall) -> None:
    wait = call.wait
    # Out of the line for a moment, and so past whatever would refuse a newcomer.
    await Place(call, _terms(call)).put_back(hold_ms=1)
    if call.wait is not wait:
        await call.board.acd.withdraw(call.item, LOST)


async def _talks(call: InboundCall) -> None:
    """The agent is busy with it, and wraps it up when it ends."""
    acd, record = call.board.acd, call.record
    if not _go_on_talking(call):
        return
    state = await acd.item(call.item)
    if (state is not None and state.state == "talking") or not _go_on_talking(call):
        return
    if state is not None and await _accepted(call, state):
        return
    await Place(call, _terms(call)).put_back(hold_ms=HELD_MS)
    since_ms = record.talking_since_ms or call.now_ms()
    if not await acd.restore(call.item, record.agent, talked_ms=call.now_ms() - since_ms):
        await acd.withdraw(call.item, LOST)
    if not _go_on_talking(call):
        await acd.leave(call.item, reason=LOST)


async def _accepted(call: InboundCall, state: ItemState) -> bool:
    """Only the agent's answer was lost; if somebody else was offered the caller since, that is taken back."""
    talks = call.talks
    if talks is not None and talks.token and await call.board.acd.accept(talks.token):
        return True
    await call.board.acd.withdraw(state.id, LOST)
    return False


def _go_on_talking(call: InboundCall) -> bool:
    """Somebody ends the item of those who do not; before their first word an agent may turn out to be gone."""
    if call.talks is None or call.record.talking_since_ms is None:
        return False
    return not call.talks.agent_leg.gone.done() and not call.leg.gone.done()


def _terms(call: InboundCall) -> Terms:
    """As whoever comes now, but for the time that was spent waiting for one agent alone, and let in already."""
    away = call.record.away
    if isinstance(away, ToAgent):
        return Terms(policy_of_agent(away, call.site), head_start_ms=round(call.record.head_start_s * 1000))
    assert isinstance(away, ToQueue)  # noqa: S101 - `again` has sorted the others out
    fresh = terms(call, away)
    waited_ms = call.now_ms() - (call.record.queued_ms or call.now_ms())
    patience_ms = max(fresh.patience_ms - waited_ms, 0)
    return replace(fresh, patience_ms=patience_ms, closes_in_ms=still_open_ms(call, away))
