"""What queues promise and cannot keep: steps that change nothing, rules that never come to bear, keys that lead
nowhere, and callers who may starve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.acd import parse
from engine.acd.conditions import leaves
from engine.config import serving
from engine.config.check import Finding, error, warning
from engine.config.queues import Queue
from engine.config.site import Site
from engine.config.source import Source
from engine.flow.steps.queue import Queue as QueueStep


def look(site: Site, flows: Mapping[str, Source]) -> Iterator[Finding]:
    """Every finding; `flows` are their files by name."""
    finder = _Finder(site)
    for name, queue in site.queues.items():
        yield from finder.unserved(name, queue)
        yield from finder.idle(name, queue)
        yield from finder.starving(name, queue)
    for flow, steps in site.flows.items():
        for step, box in steps:
            if isinstance(box, QueueStep):
                yield from _of_step(site, flows[flow], step, box)


class _Finder:
    def __init__(self, site: Site) -> None:
        self._site = site
        self._source = Source(site.folder / "dialplan/queues.yaml", site.folder)

    def unserved(self, name: str, queue: Queue) -> Iterator[Finding]:
        """Steps that only members serve, where nobody is one; whatever is preferred and nobody has."""
        for where, text in serving.steps(queue):
            if not self._meeting(text, queue.kind) and any(map(serving.joinable, leaves(parse(text).root))):
                said = f"nobody meets `{text}` until they join a queue: callers wait for that"
                yield warning(self._source.fault(("queues", name, *where), said))
        for where, text in serving.preferences(queue):
            if said := serving.why_nobody(text, serving.takers(self._site.agents, queue.kind)):
                yield warning(self._source.fault(("queues", name, *where), f"prefers nobody: {said}"))

    def idle(self, name: str, queue: Queue) -> Iterator[Finding]:
        """What is written and can never matter."""
        at, wide = ("queues", name), ""
        for number, step in enumerate(queue.steps):
            before, wide = wide, f"({wide}) | ({step.require})" if wide else step.require
            widened = step.prefer or any(map(serving.joinable, leaves(parse(step.require).root)))
            if number and not widened and self._meeting(wide, queue.kind) == self._meeting(before, queue.kind):
                said = f"step {number + 1} adds nobody to those before it: remove it, or ask for less"
                yield warning(self._source.fault((*at, "steps", number, "require"), said))
            if number and step.after >= queue.max_wait:
                said = f"nobody waits so long: `max_wait` is {queue.max_wait:g} s"
                yield warning(self._source.fault((*at, "steps", number, "after"), said))
        if queue.served_within is not None and queue.served_within >= queue.max_wait:
            said = f"can never matter: callers leave after `max_wait`, {queue.max_wait:g} s"
            yield warning(self._source.fault((*at, "served_within"), said))

    def starving(self, name: str, queue: Queue) -> Iterator[Finding]:
        """Queues that a strict one keeps from being served."""
        if not queue.strict:
            return
        ours = self._meeting(queue.base, queue.kind)
        behind = [
            f"`{other}`"
            for other, its in self._site.queues.items()
            if its.strict < queue.strict and its.served_within is None and ours & self._meeting(its.base, its.kind)
        ]
        if behind:
            said = f"while anybody waits here, these agents serve nobody of {', '.join(behind)}"
            said += "; a `served_within` there is the longest that it may last"
            yield warning(self._source.fault(("queues", name, "strict"), said))

    def _meeting(self, text: str, kind: str) -> set[str]:
        need = parse(text)
        agents = serving.takers(self._site.agents, kind)
        return {user for user, agent in agents.items() if need.met_by(agent.abilities, user)}


def _of_step(site: Site, source: Source, step: str, box: QueueStep) -> Iterator[Finding]:
    at = ("steps", step)
    queues = {name: site.queues[name] for name in dict.fromkeys(box.queues())}
    for name, queue in queues.items():
        for key, way in queue.keys.items():
            if way not in box.when:
                said = f"{key} while waiting in `{name}` leads nowhere: write `when: {{{way}: …}}`, or remove the key"
                yield error(source.fault((*at, "queue"), said))
    needed = {
        "full": ("`capacity`", any(queue.capacity for queue in queues.values())),
        "closed": ("`hours`", any(queue.hours for queue in queues.values())),
    }
    ways = {way for queue in queues.values() for way in queue.keys.values()}
    needed |= {way: (f"key for `{way}`", way in ways) for way in ("callback", "voicemail", "leave")}
    for outcome, (what, there) in needed.items():
        if outcome in box.when and not there:
            said = f"is never taken: there is no {what} in {', '.join(f'`{name}`' for name in queues)} of queues.yaml"
            yield warning(source.fault((*at, "when", outcome), f"`{outcome}` {said}"))
    if box.require is not None:
        kinds = dict.fromkeys(queue.kind for queue in queues.values())
        found = (serving.unserved(box.require, site.queues, site.agents, kind) for kind in kinds)
        for said in dict.fromkeys(said for each in found for said in each):
            yield error(source.fault((*at, "require"), said))
