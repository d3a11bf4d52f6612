"""`hang_up`: end the call.

refused:
  hang_up: rejected
"""

from __future__ import annotations

from typing import ClassVar, Literal

from engine.flow.steps.base import HangUp as Ended
from engine.flow.steps.base import Outcome, Step, Visit


class HangUp(Step):
    """Ends the call and says in its record why."""

    kind: ClassVar[str] = "hang_up"
    hang_up: Literal["flow_hangup", "rejected", "timed_out"] = "flow_hangup"

    async def run(self, visit: Visit) -> Outcome:
        """The end."""
        return Ended(self.hang_up)
