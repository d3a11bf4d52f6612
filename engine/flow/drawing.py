"""What is drawn of the flows, whatever it is drawn with: boxes with two lines of words, and arrows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from engine.flow.expression import Expression, Template
from engine.flow.flow import Flow
from engine.flow.graph import Edge, edges
from engine.flow.steps import Step

# More outcomes than this on one arrow are "otherwise": all those that have no arrow of their own.
MOST_OUTCOMES = 3
LONGEST_LINE = 30

ASKS, SAYS, DECIDES, HANDS_OVER, ENDS, ELSEWHERE = "asks", "says", "decides", "hands_over", "ends", "elsewhere"
_SHAPES = {
    **dict.fromkeys(("menu", "collect", "verify", "survey"), ASKS),
    **dict.fromkeys(("play", "say", "announcement"), SAYS),
    **dict.fromkeys(("queue", "extension", "number", "voicemail", "callback"), HANDS_OVER),
    "hangup": ENDS,
}


@dataclass(frozen=True, slots=True)
class Box:
    """A step; `id` is `flow/step`. `sort`: what it does to the caller, which gives it its colour."""

    id: str
    flow: str
    name: str
    words: str
    sort: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way from a box to another one; `target` None: the end."""

    source: str
    target: str | None
    label: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """`starts`: the numbers that callers dial, by the box that their calls begin at."""

    boxes: Sequence[Box]
    arrows: Sequence[Arrow]
    starts: Mapping[str, Sequence[str]]


def drawing(flows: Mapping[str, Flow], numbers: Mapping[str, str], only: str | None = None) -> Drawing:
    """All flows, or only one of them, with the first steps of others that it leads to. `numbers`: number → flow."""
    drawn = [only] if only else list(flows)
    arrows = list(_arrows(flows, drawn))
    boxes = {f"{name}/{step}": _box(name, step, box) for name in drawn for step, box in flows[name]}
    for target in {arrow.target: None for arrow in arrows if arrow.target and arrow.target not in boxes}:
        flow, _, step = target.partition("/")
        boxes[target] = Box(target, flow, target, flows[flow].steps[step].kind, ELSEWHERE)
    starts: dict[str, list[str]] = {}
    for number, flow in numbers.items():
        if flow in drawn:
            starts.setdefault(f"{flow}/{flows[flow].first}", []).append(number)
    return Drawing(list(boxes.values()), arrows, starts)


def _arrows(flows: Mapping[str, Flow], drawn: Sequence[str]) -> Iterator[Arrow]:
    of_step: dict[str, list[Edge]] = {}
    for edge in edges(flows):
        if edge.source.partition("/")[0] in drawn:
            of_step.setdefault(edge.source, []).append(edge)
    for source, ways in of_step.items():
        flow, _, step = source.partition("/")
        box = flows[flow].steps[step]
        if box.kind == "hangup":
            continue
        for edge in ways:
            yield Arrow(source, edge.target, _label(edge, box, alone=len(ways) == 1))


def _label(edge: Edge, box: Step, *, alone: bool) -> str:
    if alone:
        return ""
    outcomes = [outcome.replace("_", " ") for outcome in edge.outcomes]
    unnamed = [outcome for outcome in edge.outcomes if outcome not in box.when]
    if len(outcomes) > MOST_OUTCOMES and len(unnamed) == len(outcomes):
        keys = [outcome for outcome in edge.outcomes if len(outcome) == 1]
        return ", ".join([*keys, "otherwise"])
    return ", ".join(outcomes)


def _box(flow: str, name: str, step: Step) -> Box:
    return Box(f"{flow}/{name}", flow, name, _cut(_words(step)), _SHAPES.get(step.kind, DECIDES))


def _words(step: Step) -> str:
    """`queue sales`: the kind, and what stands behind it in the file."""
    fields = type(step).model_fields
    main = next((name for name, field in fields.items() if step.kind in (name, field.alias)), None)
    said = _said(getattr(step, main)) if main else ""
    return f"{step.kind} {said}".rstrip()


def _said(value: object) -> str:
    if isinstance(value, Expression | Template):
        return value.text
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_said(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(_said, value)))
    if isinstance(value, BaseModel):
        return ""
    return str(value)


def _cut(words: str) -> str:
    return words if len(words) <= LONGEST_LINE else f"{words[: LONGEST_LINE - 1]}…"
