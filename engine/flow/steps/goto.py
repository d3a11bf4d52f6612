"""`goto`: go on in another flow.

closed:
  goto: night
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from engine.flow.steps.base import Enter, Next, Outcome, Step, Target, Written_
from engine.flow.visit import Visit


class Goto(Step):
    """Goes to the beginning of a flow, or to one of its steps (`night/leave`), and does not come back."""

    kind: ClassVar[str] = "goto"
    silent: ClassVar[bool] = True
    goto: Target

    async def run(self, visit: Visit) -> Outcome:
        """There."""
        return Next(self.goto, "gone") if "/" in self.goto else Enter(self.goto)

    def targets(self) -> Iterator[Written_]:
        """When it names a step."""
        if "/" in self.goto:
            yield ("goto",), self.goto

    def flows(self) -> Iterator[Written_]:
        """When it names a flow."""
        if "/" not in self.goto:
            yield ("goto",), self.goto

    def goes_below(self) -> bool:
        """Nobody comes back from there."""
        return False
