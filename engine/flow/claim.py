"""What a caller brings to a queue: whom they need, how long they count as having waited, what they hear meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from engine.acd import parse
from engine.config.queues import QueueStep
from engine.flow.expression import Value, Variables
from engine.sounds import UnknownPrompt

if TYPE_CHECKING:
    from engine.config.models import Tier
    from engine.config.queues import Queue
    from engine.config.serving import Served
    from engine.config.site import Site
    from engine.flow.steps import ToQueue


# What the identity endpoint requires of whoever takes this caller, beside what the queue does.
ASKED_FURTHER = "route.require"


def tier_of(variables: Variables) -> str:
    """The name of the caller's tier; "" for none."""
    return str(variables.get("customer.tier") or "")


def steps(to: ToQueue, site: Served, variables: Variables) -> tuple[QueueStep, ...]:
    """Who may take the caller as their wait grows: by the step of the flow or by the queue, and in either case only who
    meets what the identity endpoint has asked for this caller."""
    queue = site.queues[to.queue]
    own = queue.widening if to.require is None else (QueueStep(require=to.require, prefer=queue.prefer),)
    further = str(variables.get(ASKED_FURTHER) or "")
    if not further:
        return own
    return tuple(step.model_copy(update={"require": parse(f"({step.require}) & ({further})").text}) for step in own)


def head_start_s(site: Site, variables: Variables) -> float:
    """A tier's or the identity endpoint's, whichever is more, in seconds."""
    tier = _tier(site, variables)
    return max(tier.head_start if tier else 0.0, float(variables.get("route.priority") or 0.0))


def served_within_s(site: Site, variables: Variables) -> float:
    """How long the caller's tier may wait at the most before it is their turn, in seconds; 0 for no such limit."""
    tier = _tier(site, variables)
    return (tier.served_within if tier else None) or 0.0


def music(queue: Queue, site: Site, variables: Variables) -> str:
    """The tier's, or the queue's."""
    tier = _tier(site, variables)
    return (tier.music if tier else None) or queue.music


async def announce(variables: dict[str, Value], say: Callable[[Sequence[str]], Awaitable[bool]]) -> None:
    """Says once what the identity endpoint wants this caller to hear before they wait; an unknown prompt is its
    mistake. Raises HungUp."""
    prompt = str(variables.pop("route.announce", ""))
    if prompt:
        with suppress(UnknownPrompt):
            await say([prompt])


def _tier(site: Site, variables: Variables) -> Tier | None:
    return site.hotline.tiers.get(tier_of(variables))
