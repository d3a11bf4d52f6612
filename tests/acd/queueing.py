"""What queueing theory knows about one queue of one skill, to hold the ACD against.

Erlang-C is M/M/n: Poisson arrivals, exponential talks, n agents, endless patience. Erlang-A (Palm's M/M/n+M) has
exponential patience. Sources: L. Kleinrock, Queueing Systems I (1975), 3.5; O. Garnett, A. Mandelbaum, M. Reiman,
Designing a Call Center with Impatient Customers, M&SOM 4 (2002), p. 208-227.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class ErlangC:
    """`load` = arrival rate x mean talk, in erlang, less than `agents`. Times in units of the mean talk."""

    agents: int
    load: float

    @property
    def waits(self) -> float:
        """The probability that a caller has to wait, by the recursion of Erlang-B."""
        blocked = 1.0
        for n in range(1, self.agents + 1):
            blocked = self.load * blocked / (n + self.load * blocked)
        return blocked / (1 - self.load / self.agents * (1 - blocked))

    @property
    def asa(self) -> float:
        """The mean wait of everybody."""
        return self.waits / (self.agents - self.load)

    def answered_within(self, wait: float) -> float:
        """The probability of waiting no longer."""
        return 1 - self.waits * math.exp(-(self.agents - self.load) * wait)


@dataclass(frozen=True)
class ErlangA:
    """As Erlang-C; `patience` is its mean. Any load."""

    agents: int
    load: float
    patience: float

    def _line(self) -> Iterator[tuple[int, float]]:
        """How many are found in line, and with which probability, by a caller who finds no agent free."""
        weight, all_weights, found = 1.0, 1.0, []
        for inside in range(1, self.agents + 20_000):
            in_line = inside - self.agents
            weight *= self.load / (min(inside, self.agents) + max(in_line, 0) / self.patience)
            all_weights += weight
            if in_line >= 0:
                found.append((in_line, weight))
            if in_line > 0 and weight < 1e-14 * all_weights:
                break
        return ((in_line, weight / all_weights) for in_line, weight in found)

    @property
    def waits(self) -> float:
        """The probability that no agent is free."""
        return sum(weight for _, weight in self._line())

    @property
    def abandons(self) -> float:
        """The probability of giving up: givers-up are (callers in line) / patience per unit of time."""
        return sum(in_line * weight for in_line, weight in self._line()) / self.patience / self.load

    @property
    def asa(self) -> float:
        """The mean wait of the answered. With k before them in line, the next thing that matters comes at a rate of
        agents + (k + 1) / patience; whether it was their own giving up says nothing about when it came."""
        waited, answered, stays, steps = 0.0, 1 - self.waits, 1.0, 0.0
        for before, weight in self._line():
            rate = self.agents + (before + 1) / self.patience
            stays *= 1 - 1 / self.patience / rate
            steps += 1 / rate
            waited += weight * stays * steps
            answered += weight * stays
        return waited / answered


def first_come(callers: Iterable[tuple[int, int, int | None]], agents: int) -> Iterator[tuple[int, bool]]:
    """What first come, first served makes of callers (arrival, talk, patience): each one's wait, and whether they were
    answered. Exact, for agents who can all do the same (J. Kiefer, J. Wolfowitz, 1955)."""
    free_at = [0] * agents
    for arrival, talk, patience in callers:
        wait = max(free_at[0] - arrival, 0)
        answered = patience is None or wait == 0 or wait < patience
        if answered:
            heapq.heapreplace(free_at, arrival + wait + talk)
        yield (wait if answered or patience is None else patience), answered
