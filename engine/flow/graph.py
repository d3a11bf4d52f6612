"""The flows as a graph, for whoever looks at them without walking: the checker and the draughtsman."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.flow.flow import Flow
from engine.flow.steps import Step
from engine.flow.steps.call import Call
from engine.flow.steps.condition import If
from engine.flow.steps.extension import Extension
from engine.flow.steps.goto import Goto
from engine.flow.steps.hangup import Hangup
from engine.flow.steps.number import Number
from engine.flow.steps.queue import Queue
from engine.flow.steps.switch import Switch

# Their caller is with somebody: when that was the purpose of the call, the call is over.
AWAY = (Queue, Extension, Number)


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from a step (`flow/step`). `target` None: the end, of the flow or of the call. `outcomes`: those that lead
    this way, keys and cases among them; empty where there is only one way."""

    source: str
    target: str | None
    outcomes: tuple[str, ...]


def edges(flows: Mapping[str, Flow]) -> list[Edge]:
    """Every way that there is, in the order in which it is written; ways to the same step are one."""
    return [edge for name, flow in flows.items() for step, box in flow for edge in _of_step(flows, name, step, box)]


def _of_step(flows: Mapping[str, Flow], name: str, step: str, box: Step) -> Iterator[Edge]:
    ways: defaultdict[str | None, list[str]] = defaultdict(list)
    for outcome, target in _ways(flows, name, step, box):
        ways[target].append(outcome)
    for target, outcomes in ways.items():
        yield Edge(f"{name}/{step}", target, tuple(outcome for outcome in outcomes if outcome))


def _ways(flows: Mapping[str, Flow], name: str, step: str, box: Step) -> Iterator[tuple[str, str | None]]:
    def place(target: str | None) -> str | None:
        if target:
            return target if "/" in target else f"{name}/{target}"
        below = flows[name].below(step)
        return f"{name}/{below}" if below else None

    def beginning(flow: str) -> str:
        return f"{flow}/{flows[flow].first}"

    if isinstance(box, Hangup):
        yield "", None
    elif isinstance(box, Goto):
        yield "", place(box.goto) if "/" in box.goto else beginning(box.goto)
    elif isinstance(box, Call):
        yield "calls", beginning(box.call)
        yield "comes back", place(box.then)
    elif isinstance(box, If):
        yield "yes", place(box.then)
        yield "no", place(box.otherwise)
    elif isinstance(box, Switch):
        for case, target in box.cases.items():
            yield case, place(target)
        yield "else", place(box.otherwise or box.then)
    else:
        yield from _by_outcome(box, place)


def _by_outcome(box: Step, place: Callable[[str | None], str | None]) -> Iterator[tuple[str, str | None]]:
    for where, target in box.targets():
        if where[0] not in ("when", "then"):
            yield where[-1], place(target)
    outcomes = box.told_apart()
    for outcome in outcomes:
        over = isinstance(box, AWAY) and outcome == "served" and "served" not in box.when
        yield outcome, None if over else place(box.go(outcome).step)
    if not outcomes:
        yield "", place(box.then)


def reachable(ways: Iterable[Edge], starts: Iterable[str]) -> set[str]:
    """Every step that a call may come to from `starts`."""
    onward: defaultdict[str, set[str]] = defaultdict(set)
    for edge in ways:
        if edge.target is not None:
            onward[edge.source].add(edge.target)
    return _all_from(starts, onward)


def ending(ways: Iterable[Edge]) -> set[str]:
    """Every step from which a call may come to an end."""
    back: defaultdict[str, set[str]] = defaultdict(set)
    ends: set[str] = set()
    for edge in ways:
        if edge.target is None:
            ends.add(edge.source)
        else:
            back[edge.target].add(edge.source)
    return _all_from(ends, back)


def _all_from(starts: Iterable[str], next_to: Mapping[str, Iterable[str]]) -> set[str]:
    seen: set[str] = set()
    left = list(starts)
    while left:
        if (step := left.pop()) not in seen:
            seen.add(step)
            left += next_to.get(step, ())
    return seen


def circles(ways: Iterable[Edge]) -> list[list[str]]:
    """The steps that go round among themselves, one list a knot, in the order of the files."""
    onward: dict[str, list[str]] = {}
    for edge in ways:
        onward.setdefault(edge.source, [])
        if edge.target is not None:
            onward[edge.source].append(edge.target)
    forth = {step: reachable_from(onward, step) for step in onward}
    knots: dict[frozenset[str], None] = {}
    for step in onward:
        if step in forth[step]:
            knots[frozenset(other for other in forth[step] if step in forth.get(other, ()))] = None
    return [[step for step in onward if step in knot] for knot in knots]


def reachable_from(onward: Mapping[str, Iterable[str]], start: str) -> set[str]:
    """Every step that follows `start`, itself only if there is a way back to it."""
    seen: set[str] = set()
    left = list(onward.get(start, ()))
    while left:
        if (step := left.pop()) not in seen:
            seen.add(step)
            left += onward.get(step, ())
    return seen
