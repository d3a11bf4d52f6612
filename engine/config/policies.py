"""What the ACD is told of a site: how its queues are served, and by whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from engine.acd import AgentTerms, Empty, Order, Policy, Step
from engine.config.queues import CallingBack
from engine.flow import claim
from engine.flow.expression import Variables
from engine.flow.steps.base import ToAgent, ToQueue
from engine.flow.steps.queue import Queue as QueueStep
from engine.hours import Calendar, Closed
from engine.orders import StandingOrders

if TYPE_CHECKING:
    from engine.config.queues import Queue
    from engine.config.serving import Served
    from engine.config.site import Site

# The ACD takes a lapsed offer back by itself; longer than any ring, so that it only does so for a dead engine.
LEASE_MARGIN_S = 15.0
# Whoever answers an outside phone has so long to press the key that makes the call theirs.
CONFIRM_S = 10.0
LOOK_AGAIN_S = 300.0

# Whom a caller knows: as the identity endpoint says, and as our own calls say.
OWNER = "customer.owner"
LAST_AGENT = "caller.last_agent"


@dataclass(frozen=True, slots=True)
class Preferred:
    """An agent who is to answer, and how long nobody else may; with 0 ms they are the first choice if ready."""

    agent: str = ""
    patience_ms: int = 0


def policy_of(to: ToQueue, site: Served, variables: Variables) -> Policy:
    """How a caller is served who goes to a queue. Without a branch for it, they wait where nobody is there, too."""
    queue = site.queues[to.queue]
    steps = claim.steps(to, site, variables)
    return Policy(
        steps=tuple(Step(_ms(step.after), step.require, tuple(step.prefer)) for step in steps),
        lease_ms=_lease_ms(queue.ring, site),
        wrapup_ms=_ms(queue.wrap_up),
        kind=queue.kind,
        order=Order(queue.strategy),
        ring=queue.ring_at_once,
        head_start_ms=_ms(queue.head_start),
        strict=queue.strict,
        served_within_ms=_ms(queue.served_within or 0.0),
        capacity=queue.capacity or 0,
        max_wait_ms=_ms(queue.max_wait),
        leave_when=frozenset(empty for empty in Empty if empty in to.branches),
        base="" if queue.base == steps[-1].require else queue.base,
        ignored_limit=queue.not_ready_after,
        place_kept_ms=_ms(queue.place_kept),
        reckoned=queue.announcing is not None and queue.announcing.wait,
    )


def policy_of_callback(to: ToQueue, site: Site, variables: Variables) -> Policy:
    """How somebody is served who waits to be called back: for as long as it takes, and by one agent at a time, who is
    theirs until they have answered and pressed the key."""
    queue = site.queues[to.queue]
    callbacks = queue.callbacks or CallingBack()
    longest_s = queue.ring + callbacks.ring + callbacks.confirm
    return replace(
        policy_of(to, site, variables),
        lease_ms=_lease_ms(longest_s, site),
        ring=1,
        capacity=0,
        max_wait_ms=0,
        leave_when=frozenset(),
        place_kept_ms=0,
        ahead_ms=_ms(callbacks.dial_ahead) if callbacks.first == "customer" else 0,
    )


def policy_of_agent(to: ToAgent, site: Site) -> Policy:
    """How a caller is served who wants one agent and nobody else."""
    return Policy(
        steps=(Step(0, f"agent:{to.agent}"),),
        lease_ms=_lease_ms(to.ring_s, site),
        wrapup_ms=_ms(to.wrap_up_s),
        max_wait_ms=max(_ms(to.patience_s), 1),
    )


def policies(site: Site) -> list[Policy]:
    """All that the flows may ask for; an endpoint's further requirements come with its answers."""
    return list(dict.fromkeys(policy_of(to, site, {}) for to in _ways_to_queues(site)))


def _ways_to_queues(site: Site) -> Iterator[ToQueue]:
    for flow in site.flows.values():
        for _, box in flow:
            if isinstance(box, QueueStep):
                yield from (ToQueue(queue=queue, require=box.require, branches=box.when) for queue in box.queues())
    yield from (ToQueue(queue=queue) for queue in site.queues)  # by the endpoint's route, a callback, the dialplan


def terms(site: Served) -> dict[str, AgentTerms]:
    """The agents, in the order of their file. They take calls, and items of the kinds that some queue has: each kind
    is reckoned with at every change of an agent, and the others would be for nothing."""
    queued = {"voice", *(queue.kind for queue in site.queues.values())}
    usual = {name: kind.at_once for name, kind in site.kinds.items() if name in queued}
    return {
        user: AgentTerms(agent.abilities, usual | agent.takes, rank, agent.weight)
        for rank, (user, agent) in enumerate(site.agents.items())
    }


def interrupting(site: Served) -> frozenset[str]:
    """The kinds that may come while an agent has items of others at hand."""
    return frozenset(name for name, kind in site.kinds.items() if kind.interrupts)


def shares(site: Served) -> dict[str, int]:
    """By kind, what per cent of an agent one item takes, where that was written."""
    return {name: kind.weight for name, kind in site.kinds.items() if kind.weight is not None}


def preferred(to: ToQueue, site: Site, variables: Variables) -> Preferred:
    """Whom the step names, else the customer's owner, else whom the caller talked with last."""
    queue = site.queues[to.queue]
    known = (
        (to.preferred, to.patience_s),
        (variables.get(OWNER), queue.owner),
        (variables.get(LAST_AGENT), queue.last_agent),
    )
    for agent, patience_s in known:
        if patience_s is not None and agent in site.agents:
            return Preferred(str(agent), _ms(patience_s))
    return Preferred()


def keys(to: ToQueue, site: Site) -> Mapping[str, str]:
    """What a caller may press while waiting, and the outcome of it; a key without a branch does nothing."""
    return {key: way for key, way in site.queues[to.queue].keys.items() if way in to.branches}


def closes_in_ms(queue: Queue, site: Site, orders: StandingOrders, at: datetime) -> int | None:
    """How long somebody who comes now may wait until the queue closes: 0 when it has closed, None when that does not
    end their wait."""
    if queue.hours is None:
        return None
    calendar = site.calendars[queue.hours]
    if isinstance(orders.state(calendar, at), Closed):
        return 0
    closes = _closes(calendar, orders, at) if queue.closing == "eject" else None
    return None if closes is None else max(_ms((closes - at).total_seconds()), 1)


def still_open_ms(queue: Queue, site: Site, orders: StandingOrders, at: datetime) -> int | None:
    """The same for somebody who waits already: some queues serve them still when they have closed."""
    return closes_in_ms(queue, site, orders, at) if queue.closing == "eject" else None


def next_closing_ms(queue: Queue, site: Site, orders: StandingOrders, at: datetime) -> int | None:
    """The same for what is put back into the queue at that moment, whether it is open then or not: until it closes the
    next time."""
    # A millisecond more: what is rounded to milliseconds may lie just before the opening.
    opens_ms = opens_in_ms(queue.hours, site, orders, at) + 1
    closes_ms = still_open_ms(queue, site, orders, at + timedelta(milliseconds=opens_ms))
    return opens_ms + closes_ms if closes_ms else None


def opens_in_ms(hours: str | None, site: Site, orders: StandingOrders, at: datetime) -> int:
    """How long until the calendar is open: 0 when it is now. When nobody can say, as under an order without an end, it
    is to be looked at again after a while."""
    if hours is None:
        return 0
    state = orders.state(site.calendars[hours], at)
    if not isinstance(state, Closed):
        return 0
    return max(_ms((state.opens_at - at).total_seconds()), 1) if state.opens_at else _ms(LOOK_AGAIN_S)


def _closes(calendar: Calendar, orders: StandingOrders, at: datetime) -> datetime | None:
    order = orders.hours(calendar.name, at)
    if order is None:
        return calendar.next_change(at)
    if order.until_ms is None:
        return None
    ends = datetime.fromtimestamp(order.until_ms / 1000, calendar.zone)
    return ends if isinstance(calendar.state(ends), Closed) else calendar.next_change(ends)


def _lease_ms(ring_s: float, site: Served) -> int:
    confirm_s = CONFIRM_S if any(agent.confirms for agent in site.agents.values()) else 0.0
    return _ms(ring_s + confirm_s + LEASE_MARGIN_S)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
