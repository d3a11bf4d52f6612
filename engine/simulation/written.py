"""A scenario as a planner writes it (docs/simulation.md)."""

from __future__ import annotations

import itertools
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from engine.acd import Empty
from engine.config.agents import Agent
from engine.config.models import Tier
from engine.config.names import Name
from engine.config.queues import Queue, QueuesFile
from engine.config.units import Seconds, Written, seconds
from engine.hours.ranges import MIDNIGHT, Range, ranges
from engine.simulation.chance import Duration, Shape

_LONGEST_S = 31 * 86_400.0


class WrittenDuration(Written):
    """`{mean: 3m, shape: lognormal, deviation: 2m}`; `3m` alone is exponential. A lognormal one deviates by its mean
    unless it says otherwise."""

    mean: Seconds
    shape: Shape = Shape.EXPONENTIAL
    deviation: Seconds | None = None

    @model_validator(mode="before")
    @classmethod
    def _alone(cls, value: Any) -> Any:
        return value if isinstance(value, dict | WrittenDuration) else {"mean": seconds(value)}

    @model_validator(mode="after")
    def _deviating(self) -> Self:
        if self.deviation is not None and self.shape is not Shape.LOGNORMAL:
            raise ValueError("only a lognormal duration has a deviation; write `shape: lognormal` or leave it out")
        return self

    def duration(self) -> Duration:
        """As it is drawn from."""
        deviation = self.mean if self.deviation is None else self.deviation
        return Duration(self.mean * 1000, self.shape, deviation * 1000)


def _share(value: Any) -> float:
    """`2%` or 0.02."""
    text = str(value).strip()
    try:
        share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"{value!r} is no share; write 2% or 0.02")
    return share


def _table(value: Any) -> dict[Range, float]:
    """Calls an hour by the hours of the day; one number is that of the whole day."""
    if not isinstance(value, dict):
        value = {"24h": value}
    found: dict[Range, float] = {}
    for hours, an_hour in value.items():
        if isinstance(an_hour, bool) or not isinstance(an_hour, int | float) or not 0 <= an_hour <= 100_000:
            raise ValueError(f"{an_hour!r} is no number of calls an hour; write 60, or {{9:00-12:00: 60}}")
        found |= dict.fromkeys(ranges(hours), float(an_hour))
    ordered = sorted(found)
    next_morning = [Range(ordered[0].start + MIDNIGHT, ordered[0].end + MIDNIGHT)] if ordered else []
    for earlier, later in itertools.pairwise([*ordered, *next_morning]):
        if later.start < earlier.end:
            at = later.start % MIDNIGHT
            raise ValueError(f"two rates for {at // 60}:{at % 60:02d}; let the hours not overlap")
    return {hours: found[hours] for hours in ordered}


Share = Annotated[float, BeforeValidator(_share)]
Hours = Annotated[tuple[Range, ...], BeforeValidator(ranges)]
Rates = Annotated[dict[Range, float], BeforeValidator(_table)]


def _one_stretch(hours: tuple[Range, ...]) -> tuple[Range, ...]:
    if len(hours) != 1:
        raise ValueError("a day is one stretch of hours, such as 9:00-18:00")
    return hours


class Callers(Written):
    """A class of callers: how many an hour, how long they are talked to and how long they wait, for which queue.
    `leave_when`: for what the flow has a branch, and lets them go."""

    rate: Rates
    handle: WrittenDuration
    patience: WrittenDuration | None = None
    queue: Name = ""
    head_start: Seconds = 0.0
    served_within: Seconds | None = Field(default=None, gt=0)
    tier: str | None = None
    leave_when: frozenset[Empty] = frozenset()


class Habits(Written):
    """How an agent works: when, how soon they answer, which share of the offers they let ring out, and how long after
    having been set not ready for it they are back."""

    works: Hours = (Range(0, MIDNIGHT),)
    breaks: Hours = ()
    answers_after: WrittenDuration = WrittenDuration(mean=4.0)
    ignores: Share = 0.0
    returns_after: Seconds = 300.0


class Crew(Agent):
    """Agents by the dozen, alike in everything: those of `day` are day-1, day-2 …"""

    name: str = ""
    count: int = Field(ge=0, le=2000)


class ScenarioFile(QueuesFile):
    """One scenario. The site's queues and agents, if it names one; those written here besides or in their place."""

    about: str = ""
    seed: int = 1
    hours: Annotated[Hours, AfterValidator(_one_stretch)] | None = None
    duration: Annotated[Seconds, Field(gt=0, le=_LONGEST_S)] | None = None
    site: str | None = None
    queues: dict[Name, Queue] = Field(default_factory=dict)
    agents: dict[Name, Agent | None] = Field(default_factory=dict)
    crews: dict[Name, Crew] = Field(default_factory=dict)
    tiers: dict[str, Tier] = Field(default_factory=dict)
    staff: dict[Name, Habits] = Field(default_factory=dict)
    calls: dict[Name, Callers] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.hours is None) == (self.duration is None):
            raise ValueError("a scenario has either `hours: 9:00-18:00` or `duration: 10h`")
        return self
