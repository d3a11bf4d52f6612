"""From what Redis knows about a line to how long it will take: a range, or nothing when too little is known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from engine.acd.states import Figures

# Three of five waits end inside of the range.
_LOW, _MIDDLE, _HIGH = (NormalDist().inv_cdf(share) for share in (0.2, 0.5, 0.8))
_LEAST_MS = 10_000
# What is believed before anything was seen, and how many items that were seen it counts as much as.
_HANDLE_MS, _HANDLED = 180_000, 1.0
_RING_MS = 5_000
_SERVED = 2.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long from now until an agent answers."""

    low_ms: int
    likely_ms: int  # as many waits are shorter as longer
    high_ms: int


def estimate(figures: Figures) -> Estimate | None:
    """None when the item does not wait, or nobody is at work who may take it.

    A line in which `position` items have yet to leave, at a rate of which only a sample is known: the first takes a
    time of a gamma distribution, the rate is of one, and their quotient's is an F distribution. The sample counts what
    makes one line slower than another: agents who serve other queues too, callers who give up, callers who overtake. It
    is by agent at work, so that it holds when some come or go; and it is laid over what the agents could do if they did
    nothing else, which is all that is known of a line at first.
    """
    if figures.position < 1 or figures.staffed < 1:
        return None
    handled = figures.handled + _HANDLED
    handle_ms = (figures.handle_ms + _HANDLED * _HANDLE_MS) / handled
    ring_ms = (figures.ring_ms + _HANDLED * _RING_MS) / handled
    served = max(figures.served, 0.0) + _SERVED
    mean_ms = figures.position * (figures.worked_ms + _SERVED * handle_ms) / served / figures.staffed
    low, likely, high = (
        max(round(mean_ms * _f_quantile(z, figures.position, served) + ring_ms), _LEAST_MS)
        for z in (_LOW, _MIDDLE, _HIGH)
    )
    return Estimate(low, likely, high)


def _f_quantile(z: float, events: float, seen: float) -> float:
    """The quantile, at the standard normal `z`, of the F distribution with 2 x `events` and 2 x `seen` degrees of
    freedom, by the cube roots of both sides being nearly normal (E. Paulson, Ann. Math. Stat. 13 (1942), p. 233)."""
    ours, theirs = 1 / (9 * events), 1 / (9 * seen)
    a, b, c = (1 - theirs) ** 2 - z * z * theirs, (1 - ours) * (1 - theirs), (1 - ours) ** 2 - z * z * ours
    root = (b + math.copysign(math.sqrt(max(b * b - a * c, 0.0)), z)) / a
    return max(root, 0.0) ** 3
