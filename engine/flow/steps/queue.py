"""`queue`: wait for an agent.

sales:
  queue: sales
  when: {timed_out: sorry}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Literal

from engine.config.models import Requirement
from engine.flow.steps.base import Outcome, Step, ToQueue, Visit

Unserved = Literal["timed_out"]


class Queue(Step):
    """Hands the caller to a queue; `when` says where they go if no agent was reached."""

    kind: ClassVar[str] = "queue"
    queue: str
    require: Requirement | None = None
    when: Mapping[Unserved, str] = {}

    async def run(self, visit: Visit) -> Outcome:
        """Where to wait, and where to come back to."""
        return ToQueue(self.queue, self.require, dict(self.when))

    def targets(self) -> Iterator[str]:
        """Every branch."""
        yield from self.when.values()

    def queues(self) -> Sequence[str]:
        """The one."""
        return [self.queue]
