"""What chance decides: durations, and when callers arrive. Every stream of numbers is a person's own, so that a change
elsewhere in the scenario leaves theirs as they were: what-if questions are asked about the very same callers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from statistics import NormalDist
from typing import NamedTuple

HOUR_MS = 3_600_000
_NORMAL = NormalDist()


class Shape(StrEnum):
    """How durations spread about their mean."""

    EXPONENTIAL = "exponential"  # without memory, as Erlang's formulae have it
    LOGNORMAL = "lognormal"  # few very short, some very long: conversations (Brown et al. 2005, JASA 100, p. 36-50)
    FIXED = "fixed"


def stream(seed: int, *whose: str) -> Random:
    """The numbers of one purpose: the same for the same seed, whatever else is drawn."""
    return Random("/".join((str(seed), *whose)))  # noqa: S311 - repeatable is the point


@dataclass(frozen=True, slots=True)
class Duration:
    """A duration that chance decides, in milliseconds. `deviation_ms` is the standard deviation of a lognormal one."""

    mean_ms: float
    shape: Shape = Shape.EXPONENTIAL
    deviation_ms: float = 0.0

    def draw(self, chance: Random) -> int:
        """One of them. Always takes one number from `chance`, so that those after it stay what they are."""
        one = 1.0 - chance.random()  # 0 < one <= 1
        if self.mean_ms == 0 or self.shape is Shape.FIXED:
            return round(self.mean_ms)
        if self.shape is Shape.EXPONENTIAL:
            return round(-self.mean_ms * math.log(one))
        variance = math.log1p((self.deviation_ms / self.mean_ms) ** 2)
        return round(self.mean_ms * math.exp(math.sqrt(variance) * _normal(one) - variance / 2))


class Rate(NamedTuple):
    """So many calls an hour are expected from `start_ms` to `end_ms`."""

    start_ms: int
    end_ms: int
    an_hour: float


def arrivals(rates: Sequence[Rate], chance: Random) -> Iterator[int]:
    """When callers arrive, in ms: a Poisson process whose rate changes from interval to interval (they are in their
    order and do not overlap). One expected call is one unit of its own time: twice the rate brings every caller twice
    as early, and is otherwise the same day."""
    expected, passed = _next(chance), 0.0
    for start, end, an_hour in rates:
        if an_hour == 0:
            continue
        through = passed + an_hour * (end - start) / HOUR_MS
        while expected < through:
            yield start + int((expected - passed) * HOUR_MS / an_hour)
            expected += _next(chance)
        passed = through


def _next(chance: Random) -> float:
    return -math.log(1.0 - chance.random())


def _normal(share: float) -> float:
    """The standard normal value that `share` of all are below; NormalDist refuses 1."""
    return _NORMAL.inv_cdf(min(share, 1.0 - 1e-16))
