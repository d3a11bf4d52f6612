"""`hangup`: end the call.

refused:
  hangup: rejected
  cause: rejected
"""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.flow.steps.base import HangUp as Ended
from engine.flow.steps.base import Outcome, Step
from engine.flow.visit import Visit

Cause = Literal["normal", "busy", "rejected", "unallocated", "congestion", "no_answer"]
Q850: dict[str, int] = {
    "normal": 16,
    "busy": 17,
    "rejected": 21,
    "unallocated": 1,
    "congestion": 34,
    "no_answer": 19,
}


class Hangup(Step):
    """Ends the call and says in its record why. `cause` is what the carrier is told, and through it a caller whose
    call was never answered."""

    kind: ClassVar[str] = "hangup"
    silent: ClassVar[bool] = True
    hangup: Literal["flow_hangup", "rejected", "timed_out"] = "flow_hangup"
    cause: Cause = "normal"

    async def run(self, visit: Visit) -> Outcome:
        """The end."""
        return Ended(self.hangup, Q850[self.cause])

    def goes_below(self) -> bool:
        """Nobody comes back from here."""
        return False
