"""A caller goes to a queue: on which terms they wait there, and on to another one when a supervisor says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from engine.call.announcing import Announcer
from engine.call.conversation import Conversation
from engine.call.last_agent import known_as
from engine.call.place import Terms
from engine.call.waiting import Waiting
from engine.callbacks import item_of
from engine.config import policies
from engine.flow.claim import served_within_s
from engine.flow.steps.base import ToQueue

if TYPE_CHECKING:
    from engine.call.inbound import InboundCall

log = structlog.get_logger()


async def in_queue(call: InboundCall, to: ToQueue) -> Conversation | str:
    """Both can talk, or the outcome. Raises AriError, LineDown; HungUp comes from the call's scope."""
    while True:
        call.record.queue, call.moved_to = to.queue, ""
        if call.site.queues[to.queue].last_agent is not None and policies.LAST_AGENT not in call.record.variables:
            call.record.variables[policies.LAST_AGENT] = await call.board.last_agents.of(call.record.number)
        outcome = await InQueue(call, to).conversation()
        elsewhere = call.moved_to
        if isinstance(outcome, Conversation) or not elsewhere:
            return outcome
        if elsewhere not in call.site.queues:
            log.error("queue.moved_to_nowhere", call=call.record.id, queue=elsewhere, remedy="it waits where it was")
            elsewhere = to.queue
        to = call.record.away = replace(to, queue=elsewhere, require=None, preferred="", patience_s=0.0)


def terms(call: InboundCall, to: ToQueue) -> Terms:
    """How this caller waits there."""
    site, record = call.site, call.record
    queue = site.queues[to.queue]
    wanted = policies.preferred(to, site, record.variables)
    may_have_asked = queue.callbacks is not None and record.presentation == "allowed" and not record.callback
    return Terms(
        site.policy(to, record.variables),
        head_start_ms=round(record.head_start_s * 1000),
        strict=record.strict,
        served_within_ms=round(served_within_s(site, record.variables) * 1000),
        preferred=wanted.agent,
        patience_ms=wanted.patience_ms,
        exclude=record.excluding(call.now_ms()),
        who=known_as(record.number) if queue.place_kept else "",
        replaces=item_of(to.queue, record.number) if may_have_asked else "",
        closes_in_ms=policies.closes_in_ms(queue, site, call.board.services.orders, datetime.now().astimezone()),
    )


def still_open_ms(call: InboundCall, to: ToQueue) -> int | None:
    """How long whoever waits there may do so until it closes, as the orders are now; None: that does not end it."""
    queue, orders = call.site.queues[to.queue], call.board.services.orders
    return policies.still_open_ms(queue, call.site, orders, datetime.now().astimezone())


async def hours_changed(call: InboundCall) -> None:
    """An operator has opened or closed something while this caller waits. Raises LineDown."""
    to = call.record.away
    if isinstance(to, ToQueue) and not call.record.callback:
        await call.board.acd.closes(call.item, still_open_ms(call, to))


class InQueue(Waiting):
    """The wait in one queue."""

    def __init__(self, call: InboundCall, to: ToQueue) -> None:
        queue = call.site.queues[to.queue]
        said = queue.announcing
        keys = policies.keys(to, call.site)
        super().__init__(
            call,
            terms(call, to),
            ring_s=queue.ring,
            keys=keys,
            announcer=Announcer(call, said, has_keys=bool(keys)) if said else None,
        )

    def _over(self, reason: str) -> str:
        """A supervisor may give any reason; the flow knows one outcome for them."""
        return reason if reason in KNOWN else "withdrawn"


KNOWN = frozenset({"timed_out", "full", "no_agents", "none_eligible", "closed"})
