"""Walks a caller through a flow until they leave it for a queue or for good."""

from __future__ import annotations

from collections.abc import Callable

from engine.flow.flow import Flow
from engine.flow.steps import Ended, Next, ToQueue, Visit
from engine.journal.events import IvrNodeEntered, IvrNodeExited

# A flow that goes round without asking the caller anything would keep a line busy for ever.
MOST_VISITS = 200


async def run(
    name: str, flow: Flow, visit: Visit, start: str | None = None, *, entered: Callable[[str], None]
) -> ToQueue | Ended:
    """Runs `flow` from `start` (default: its first step) until the caller goes elsewhere.

    `entered` is told of each step before it runs: what a crash must not lose. Raises HungUp.
    """
    step = start or flow.first
    for _ in range(MOST_VISITS):
        box = flow.steps[step]
        entered(step)
        visit.note(IvrNodeEntered, flow=name, step=step, kind=box.kind)
        result = await box.run(visit)
        if not isinstance(result, Next):
            return result
        visit.note(IvrNodeExited, flow=name, step=step, outcome=result.outcome)
        following = flow.after(step, result)
        if following is None:
            return Ended("flow_hangup")
        step = following
    return Ended("system_failure")
