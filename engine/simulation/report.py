"""What came of a day: service level and waits a class, how busy the agents were, how fairly both were treated.

Definitions are those of docs/simulation.md. Waits are seconds, from a caller's arrival in the queue until an agent has
answered or the caller has left."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from engine.config.queues import Queue
from engine.simulation.day import Day
from engine.simulation.people import AtWork, Call, Outcome
from engine.simulation.scenario import CallerClass

SERVICE_LEVEL_S = 20
SHORT_ABANDON_S = 5
# answered within 20 s / (offered - abandoned within 5 s)
SERVICE_LEVEL_ID = f"SL_default({SERVICE_LEVEL_S} s, short {SHORT_ABANDON_S} s)"
TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Waits:
    """Callers of one class, or all of them. `offered` is the sum of the six that follow it."""

    callers: str
    queue: str
    offered: int
    answered: int
    abandoned: int
    timed_out: int
    refused: int
    released: int
    unserved: int
    service_level: float | None
    asa_s: float | None  # the mean wait of the answered; the percentiles are of theirs too
    p50_s: float | None
    p90_s: float | None
    p95_s: float | None
    longest_s: float  # of all of them, whatever came of it
    served_within_s: float | None  # the queue's, or their own if that is less
    over_limit: int  # who waited longer than that
    ignored_offers: int


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the mean and the most of something, over the agents or the queues."""

    least: float
    mean: float
    most: float


@dataclass(frozen=True, slots=True)
class Agents:
    """All who worked that day. Occupancy: busy (ringing, talking, wrap-up) / (busy + idle while ready)."""

    count: int
    occupancy: Spread | None
    idle_s: Spread | None
    answered: Spread | None
    ignored_offers: int
    set_not_ready: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one queue had of the day: of all callers, and of the time that agents spent with them."""

    queue: str
    of_callers: float
    of_agents_time: float
    asa_s: float | None


@dataclass(frozen=True, slots=True)
class Report:
    scenario: str
    about: str
    seed: int
    service_level_id: str
    classes: list[Waits]
    total: Waits
    agents: Agents
    queues: list[Share]

    def data(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def report_of(day: Day) -> Report:
    """The day in figures."""
    scenario, calls = day.scenario, list(day.calls.values())
    limits = {each.name: _limit_s(each, scenario.queues[each.queue]) for each in scenario.callers}
    classes = [
        _waits(each.name, each.queue, [call for call in calls if call.caller_class == each.name], limits)
        for each in scenario.callers
    ]
    return Report(
        scenario=scenario.name,
        about=scenario.about,
        seed=scenario.seed,
        service_level_id=SERVICE_LEVEL_ID,
        classes=classes,
        total=_waits(TOTAL, "", calls, limits),
        agents=_agents(list(day.agents.values())),
        queues=_shares(calls),
    )


def _waits(name: str, queue: str, calls: Sequence[Call], limits: dict[str, float | None]) -> Waits:
    came_to = Counter(call.outcome for call in calls)
    answered = sorted(call.wait_ms / 1000 for call in calls if call.outcome is Outcome.ANSWERED)
    short = sum(call.outcome is Outcome.ABANDONED and call.wait_ms < SHORT_ABANDON_S * 1000 for call in calls)
    counted = len(calls) - short
    in_time = sum(wait <= SERVICE_LEVEL_S for wait in answered)
    return Waits(
        callers=name,
        queue=queue,
        offered=len(calls),
        answered=came_to[Outcome.ANSWERED],
        abandoned=came_to[Outcome.ABANDONED],
        timed_out=came_to[Outcome.TIMED_OUT],
        refused=came_to[Outcome.REFUSED],
        released=came_to[Outcome.RELEASED],
        unserved=came_to[Outcome.UNSERVED],
        service_level=in_time / counted if counted else None,
        asa_s=fmean(answered) if answered else None,
        p50_s=percentile(answered, 0.5),
        p90_s=percentile(answered, 0.9),
        p95_s=percentile(answered, 0.95),
        longest_s=max((call.wait_ms for call in calls), default=0) / 1000,
        served_within_s=limits.get(name) if queue else None,
        over_limit=sum(_over(call, limits[call.caller_class]) for call in calls),
        ignored_offers=sum(call.ignored for call in calls),
    )


def _limit_s(callers: CallerClass, queue: Queue) -> float | None:
    limits = (callers.served_within_ms / 1000, queue.served_within)
    return min((limit for limit in limits if limit), default=None)


def _over(call: Call, limit_s: float | None) -> bool:
    return limit_s is not None and call.wait_ms > limit_s * 1000


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share does not exceed (nearest rank); None of nothing."""
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else None


def _agents(agents: Sequence[AtWork]) -> Agents:
    there = [agent for agent in agents if agent.occupancy is not None]

    def spread(figure: Callable[[AtWork], float | None]) -> Spread | None:
        return _spread(value for agent in there if (value := figure(agent)) is not None)

    return Agents(
        count=len(there),
        occupancy=spread(lambda agent: agent.occupancy),
        idle_s=spread(lambda agent: agent.idle_ms / 1000),
        answered=spread(lambda agent: agent.answered),
        ignored_offers=sum(agent.ignored for agent in agents),
        set_not_ready=sum(agent.set_not_ready for agent in agents),
    )


def _spread(values: Iterable[float]) -> Spread | None:
    found = list(values)
    return Spread(min(found), fmean(found), max(found)) if found else None


def _shares(calls: Sequence[Call]) -> list[Share]:
    talked_ms: Counter[str] = Counter()
    offered: Counter[str] = Counter()
    waits: dict[str, list[float]] = {}
    for call in calls:
        offered[call.queue] += 1
        if call.outcome is Outcome.ANSWERED:
            talked_ms[call.queue] += call.handle_ms
            waits.setdefault(call.queue, []).append(call.wait_ms / 1000)
    return [
        Share(
            queue=queue,
            of_callers=count / len(calls),
            of_agents_time=talked_ms[queue] / max(talked_ms.total(), 1),
            asa_s=fmean(waits[queue]) if queue in waits else None,
        )
        for queue, count in sorted(offered.items())
    ]
