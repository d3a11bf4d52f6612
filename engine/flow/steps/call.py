"""`call`: go through another flow and come back.

authenticate:
  call: verification
  then: balance
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from engine.config.names import Name
from engine.flow.steps.base import CallFlow, Outcome, Step, Written_
from engine.flow.visit import Visit


class Call(Step):
    """Goes through a flow; at its last step's end the call comes back and goes on at `then`, or at the step below.
    What the flow has set stays set."""

    kind: ClassVar[str] = "call"
    silent: ClassVar[bool] = True
    call: Name

    async def run(self, visit: Visit) -> Outcome:
        """Into it."""
        return CallFlow(self.call, self.then)

    def flows(self) -> Iterator[Written_]:
        """The one."""
        yield ("call",), self.call
