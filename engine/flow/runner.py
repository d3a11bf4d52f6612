"""Walks a caller through the flows until they leave them for a queue, another number, or for good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.flow.flow import Flow
from engine.flow.steps import CallFlow, Departure, Ended, Enter, Next
from engine.flow.visit import Visit
from engine.journal.events import IvrNodeEntered, IvrNodeExited

# A flow that goes round for ever would keep a line busy for ever; no caller patiently enters so many steps.
MOST_VISITS = 500
# Flows that call flows that call flows: deeper than this is a loop.
DEEPEST = 16

Place = tuple[str, str]


class FlowLoops(Exception):  # noqa: N818 - said of the flow
    """A flow goes round without end: the admin's mistake, and the caller must not be the one to bear it."""


@dataclass(slots=True)
class Walk:
    """A call's place in the flows (`step` None: the flow's first), and where the flows that it was called from go
    on. `on_enter` is told of each step before it runs: what a crash must not lose."""

    flows: Mapping[str, Flow]
    flow: str
    step: str | None = None
    callers: list[Place | None] = field(default_factory=list)
    visits: int = 0
    on_enter: Callable[[], None] = lambda: None

    async def onward(self, visit: Visit) -> Departure:
        """Runs step after step from here until the caller goes elsewhere. Raises HungUp, FlowLoops."""
        while True:
            self.step = self.step or self.flows[self.flow].first
            self._count()
            flow, step, box = self.flow, self.step, self.flows[self.flow].steps[self.step]
            self.on_enter()
            visit.note(IvrNodeEntered, flow=flow, step=step, kind=box.kind)
            if not box.silent:
                await visit.answered()
            result = await box.run(visit)
            if not isinstance(result, Next | CallFlow | Enter):
                return result
            visit.note(IvrNodeExited, flow=flow, step=step, outcome=result.outcome)
            if not self.follow(result):
                return Ended("flow_hangup")

    def follow(self, result: Next | CallFlow | Enter) -> bool:
        """Goes where a step's result leads; False when nothing follows there."""
        match result:
            case Enter(flow=flow):
                self.flow, self.step = flow, None
            case CallFlow(flow=flow, then=then):
                self.callers.append(self._place(then))
                self.flow, self.step = flow, None
            case Next(step=target):
                place = self._place(target)
                while place is None and self.callers:
                    place = self.callers.pop()
                if place is None:
                    return False
                self.flow, self.step = place
        return True

    def _count(self) -> None:
        self.visits += 1
        if self.visits > MOST_VISITS or len(self.callers) > DEEPEST:
            raise FlowLoops(f"{self.visits} steps, {len(self.callers)} calls deep, at {self.flow}/{self.step}")

    def _place(self, target: str | None) -> Place | None:
        """Where a target is; without one, the step below the present one; None at the end of the file."""
        if target:
            flow, _, step = target.rpartition("/")
            return flow or self.flow, step
        below = self.flows[self.flow].below(self.step or self.flows[self.flow].first)
        return (self.flow, below) if below else None
