"""A scenario as it is played: who calls, who answers, and by which rules; every fault of the file at its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from engine.acd import Empty, Intent
from engine.config import site as sites
from engine.config.agents import Agent
from engine.config.models import Tier
from engine.config.queues import KINDS, Kind, Queue
from engine.config.serving import of_queues
from engine.config.source import Fault, SiteError, Source, nearest
from engine.host.state import CannotRun
from engine.hours.ranges import Range
from engine.simulation.chance import Duration, Rate
from engine.simulation.written import Callers, Habits, ScenarioFile

EVERYBODY = "everybody"
MINUTE_MS = 60_000
DAY_MS = 86_400_000
# Callers who are still in line when the day ends are served for so long; whoever is left then was not served at all.
OVERTIME_MS = 4 * 3_600_000


@dataclass(frozen=True, slots=True)
class CallerClass:
    """Callers of one kind. Times in milliseconds from the midnight that the day begins with."""

    name: str
    queue: str
    rates: tuple[Rate, ...]
    handle: Duration
    patience: Duration | None
    head_start_ms: int
    served_within_ms: int  # its own; 0 for none
    leave_when: frozenset[Empty]


@dataclass(frozen=True, slots=True)
class Duty:
    """How one agent works: the stretches of work and the breaks in them, in ms."""

    works: tuple[tuple[int, int], ...]
    breaks: tuple[tuple[int, int], ...]
    answers_after: Duration
    ignores: float
    returns_after_ms: int

    def intent(self, now_ms: int) -> Intent:
        """What they want at this moment."""
        if not _within(self.works, now_ms):
            return Intent.LOGGED_OUT
        return Intent.NOT_READY if _within(self.breaks, now_ms) else Intent.READY


@dataclass(frozen=True, slots=True)
class Scenario:
    """A day to be played; queues, agents and kinds as a site has them."""

    name: str
    about: str
    seed: int
    start_ms: int
    end_ms: int
    queues: Mapping[str, Queue]
    kinds: Mapping[str, Kind]
    agents: Mapping[str, Agent]
    duties: Mapping[str, Duty]
    callers: Sequence[CallerClass]


def read_scenario(path: Path, changes: Sequence[str] = ()) -> Scenario:
    """The scenario in `path`, after `changes` such as `crews.day.count=11`; `=null` takes away. Raises SiteError with
    every fault, CannotRun for a change that cannot be made."""
    source = Source(path, path.parent)
    for change in changes:
        _change(source.data, change)
    written = source.model(ScenarioFile)
    site = sites.load(path.parent / written.site, unspoken=True) if written.site is not None else None
    queues = {**(site.queues if site else {}), **written.queues}
    tiers = {**(site.hotline.tiers if site else {}), **written.tiers}
    everybody = {**(site.agents if site else {}), **written.agents}
    agents = {id_: agent for id_, agent in everybody.items() if agent is not None}
    agents |= {id_: crew for name, crew in written.crews.items() for id_ in _members(name, crew.count)}
    kinds = {**(site.kinds if site else KINDS), **{name: written.all_kinds()[name] for name in written.kinds}}
    faults = [
        *_nobody(source, agents),
        *of_queues(source, written, agents, site.calendars if site else ()),
        *_callers(source, written.calls, queues, tiers),
        *_staff(source, written, agents),
    ]
    if faults:
        raise SiteError(faults)
    start_ms, end_ms = _span(written)
    return Scenario(
        name=path.stem,
        about=written.about,
        seed=written.seed,
        start_ms=start_ms,
        end_ms=end_ms,
        queues=queues,
        kinds=kinds,
        agents=agents,
        duties={id_: _duty(_habits(written, id_), start_ms, end_ms + OVERTIME_MS) for id_ in agents},
        callers=[_class(name, each, tiers, start_ms, end_ms) for name, each in written.calls.items()],
    )


def _change(data: Any, text: str) -> None:
    """Writes one `--set` into what the file says."""
    path, equals, value = text.partition("=")
    *folders, last = path.strip().split(".")
    if not equals or not last:
        raise CannotRun(f"--set {text!r}: write a setting and its value, such as crews.day.count=11")
    for folder in folders:
        data = data.setdefault(folder, {})
        if not isinstance(data, dict):
            raise CannotRun(f"--set {text!r}: nothing can be set below `{folder}`, which is {data!r}")
    try:
        data[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise CannotRun(f"--set {text!r}: {value!r} is not a value in YAML") from None


def _span(written: ScenarioFile) -> tuple[int, int]:
    if written.hours is None:
        return 0, round((written.duration or 0.0) * 1000)
    return written.hours[0].start * MINUTE_MS, written.hours[0].end * MINUTE_MS


def _members(crew: str, count: int) -> list[str]:
    return [f"{crew}-{number}" for number in range(1, count + 1)]


def _habits(written: ScenarioFile, agent: str) -> Habits:
    """The agent's own, or the crew's, or everybody's."""
    crew = agent.rpartition("-")[0]
    own = written.staff.get(agent) or (written.staff.get(crew) if crew in written.crews else None)
    return own or written.staff.get(EVERYBODY) or Habits()


def _duty(habits: Habits, start_ms: int, end_ms: int) -> Duty:
    return Duty(
        works=_stretches(habits.works, start_ms, end_ms),
        breaks=_stretches(habits.breaks, start_ms, end_ms),
        answers_after=habits.answers_after.duration(),
        ignores=habits.ignores,
        returns_after_ms=round(habits.returns_after * 1000),
    )


def _class(name: str, each: Callers, tiers: Mapping[str, Tier], start_ms: int, end_ms: int) -> CallerClass:
    tier = tiers[each.tier] if each.tier else Tier()
    limits = [limit for limit in (each.served_within, tier.served_within) if limit]
    rates = [
        Rate(from_ms, to_ms, an_hour)
        for hours, an_hour in each.rate.items()
        for from_ms, to_ms in _stretches((hours,), start_ms, end_ms)
    ]
    return CallerClass(
        name=name,
        queue=each.queue or name,
        rates=tuple(sorted(rates)),
        handle=each.handle.duration(),
        patience=each.patience.duration() if each.patience else None,
        head_start_ms=round(max(each.head_start, tier.head_start) * 1000),
        served_within_ms=round(min(limits, default=0.0) * 1000),
        leave_when=each.leave_when,
    )


def _stretches(hours: Sequence[Range], start_ms: int, end_ms: int) -> tuple[tuple[int, int], ...]:
    """Hours of a day as stretches between two moments, on every day from the evening before on. Those that meet are
    one: who works 24h does not log out at midnight."""
    found: list[tuple[int, int]] = []
    for midnight in range(-DAY_MS, end_ms, DAY_MS):
        for start, end in hours:
            from_ms, to_ms = max(midnight + start * MINUTE_MS, start_ms), min(midnight + end * MINUTE_MS, end_ms)
            if from_ms >= to_ms:
                continue
            if found and found[-1][1] >= from_ms:
                found[-1] = (found[-1][0], max(found[-1][1], to_ms))
            else:
                found.append((from_ms, to_ms))
    return tuple(found)


def _within(stretches: Sequence[tuple[int, int]], now_ms: int) -> bool:
    return any(start <= now_ms < end for start, end in stretches)


def _nobody(source: Source, agents: Mapping[str, Agent]) -> Iterator[Fault]:
    if not agents:
        yield source.fault(("agents",), "nobody is there to answer; write `site: DIR`, `agents:` or `crews:`")


def _callers(
    source: Source, calls: Mapping[str, Callers], queues: Mapping[str, Queue], tiers: Mapping[str, Tier]
) -> Iterator[Fault]:
    for name, each in calls.items():
        queue = each.queue or name
        if queue not in queues:
            where = ("calls", name, "queue") if each.queue else ("calls", name)
            yield source.fault(where, f"no queue `{queue}`{nearest(queue, queues)}")
        if each.tier and each.tier not in tiers:
            yield source.fault(("calls", name, "tier"), f"no tier `{each.tier}`{nearest(each.tier, tiers)}")


def _staff(source: Source, written: ScenarioFile, agents: Mapping[str, Agent]) -> Iterator[Fault]:
    known = {EVERYBODY, *agents, *written.crews}
    for name in written.staff:
        if name not in known:
            yield source.fault(("staff", name), f"no agent and no crew `{name}`{nearest(name, known)}")
