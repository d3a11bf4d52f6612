"""Where the flows lead: steps that nobody reaches, and circles that nobody leaves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from engine.config.check import Finding, error, warning
from engine.config.site import Site
from engine.config.source import Fault, Source
from engine.flow.graph import Edge, circles, edges, ending, reachable
from engine.flow.reads import reads
from engine.flow.steps import Step
from engine.flow.steps.queue import Queue

# Steps at which a caller can do something: press a key, talk, wait for somebody.
ASKS = ("menu", "collect", "verify", "extension", "voicemail", "callback", "survey", "queue", "number")
# What comes of a caller who does nothing, at the steps that wait for keys.
SILENCE = {"menu": "silence", "collect": "silence", "verify": "gave_up", "extension": "unknown", "callback": "declined"}


def look(site: Site, sources: Mapping[str, Source]) -> Iterator[Finding]:
    """Every finding."""
    ways = edges(site.flows)
    starts = [f"{number.flow}/{site.flows[number.flow].first}" for number in site.hotline.numbers.values()]
    finder = _Finder(site, sources)
    yield from finder.unreachable(reachable(ways, starts))
    yield from finder.endless(ways, starts)


class _Finder:
    def __init__(self, site: Site, sources: Mapping[str, Source]) -> None:
        self._site, self._sources = site, sources
        self._steps: dict[str, Step] = {f"{n}/{s}": box for n, flow in site.flows.items() for s, box in flow}

    def unreachable(self, reached: Collection[str]) -> Iterator[Finding]:
        """Steps that no call comes to. A flow that is entered from nowhere is one finding: the identity endpoint may
        send callers there, and so may a script in the dialplan."""
        for name, flow in self._site.flows.items():
            lost = [step for step, _ in flow if f"{name}/{step}" not in reached]
            if len(lost) == len(flow.steps):
                said = f"no number and no step leads to flow `{name}`: only the identity endpoint or a script could"
                yield warning(self._sources[name].fault((), said))
                continue
            for step in lost:
                said = f"no step leads to `{step}`: remove it, or name it as a target"
                yield warning(self._sources[name].fault(("steps", step), said))

    def endless(self, ways: list[Edge], starts: Iterable[str]) -> Iterator[Finding]:
        """Circles, each told of once and by the worst that can be said of it."""
        told: set[str] = set()
        ends = ending(ways)
        for knot in circles(ways):
            if knot[0] not in ends:
                told.update(knot)
                yield error(self._at(knot, "whatever the caller does, the call goes round here without end"))
        unasked = [edge for edge in ways if not self._asks(edge.source) or self._refused(edge)]
        for knot in circles(unasked):
            if told.isdisjoint(knot) and not self._changes(knot):
                told.update(knot)
                said = "the call goes round here without asking the caller anything, and nothing on the way changes"
                yield error(self._at(knot, f"{said}: it would never leave"))
        yield from self._silent(ways, starts, told)

    def _silent(self, ways: list[Edge], starts: Iterable[str], told: set[str]) -> Iterator[Finding]:
        """Where a caller who does nothing stays for ever: a telephone that was not hung up keeps a line busy."""
        silent = [edge for edge in ways if self._without_keys(edge)]
        ends, reached = ending(silent), reachable(silent, starts)
        for knot in circles(silent):
            if knot[0] in reached and knot[0] not in ends and told.isdisjoint(knot):
                said = "a caller who presses nothing goes round here for ever; let `silence` lead out of it"
                yield warning(self._at(knot, said))

    def _without_keys(self, edge: Edge) -> bool:
        """Whether a caller who presses nothing may go this way."""
        outcome = SILENCE.get(self._steps[edge.source].kind)
        return outcome is None or outcome in edge.outcomes or outcome not in self._steps[edge.source].possible()

    def _asks(self, step: str) -> bool:
        return self._steps[step].kind in ASKS

    def _refused(self, edge: Edge) -> bool:
        """Whether a caller may go this way from a queue that has not let them in: without any wait."""
        box = self._steps[edge.source]
        if not isinstance(box, Queue):
            return False
        queues = [self._site.queues[name] for name in box.queues()]
        at_once = {"no_agents", "none_eligible"} & box.when.keys()
        at_once |= {"full" if "full" in box.when else "timed_out" for queue in queues if queue.capacity}
        at_once |= {"closed" if "closed" in box.when else "timed_out" for queue in queues if queue.hours}
        return not at_once.isdisjoint(edge.outcomes)

    def _changes(self, knot: Collection[str]) -> bool:
        """Whether a condition on the way depends on what is set on the way: a counter, an answer that may differ."""
        boxes = [self._steps[step] for step in knot]
        set_ = {name for box in boxes for name in box.sets()}
        return any(not set_.isdisjoint(reads(box)) for box in boxes if box.kind in ("if", "switch"))

    def _at(self, knot: list[str], said: str) -> Fault:
        flow, _, step = knot[0].partition("/")
        others = f" ({' → '.join([*knot[:6], '…' if len(knot) > 6 else knot[0]])})" if len(knot) > 1 else ""
        return self._sources[flow].fault(("steps", step), f"{said}{others}")
