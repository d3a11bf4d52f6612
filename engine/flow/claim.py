"""What a caller may claim when they come to a queue: whom they need, and how long they count as having waited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.flow.expression import Variables

if TYPE_CHECKING:
    from engine.config.site import Site
    from engine.flow.steps import ToQueue


def requirement(to: ToQueue, site: Site, variables: Variables) -> str:
    """The step's or the queue's, and what the identity endpoint has asked for this caller."""
    wanted = to.require or site.queues[to.queue].require
    further = str(variables.get("route.require") or "")
    return f"({wanted}) & ({further})" if further else wanted


def head_start_s(site: Site, variables: Variables) -> float:
    """A tier's or the identity endpoint's, whichever is more, in seconds."""
    tier = site.hotline.tiers.get(str(variables.get("customer.tier", "")))
    return max(tier.head_start if tier else 0.0, float(variables.get("route.priority") or 0.0))
