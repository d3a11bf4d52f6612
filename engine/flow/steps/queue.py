"""`queue`: wait for an agent.

sales:
  queue: sales
  when: {timed_out: sorry}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from engine.config.models import Requirement
from engine.flow.steps.base import Outcome, Step, Target, ToQueue, Visit

Unserved = Literal["timed_out"]


class Queue(Step):
    """Hands the caller to a queue; `when` says where they go if no agent was reached."""

    kind: ClassVar[str] = "queue"
    queue: str
    require: Requirement | None = None
    when: dict[Unserved, str] = Field(default_factory=dict)

    async def run(self, visit: Visit) -> Outcome:
        """Where to wait, and where to come back to."""
        return ToQueue(self.queue, self.require, {str(why): step for why, step in self.when.items()})

    def targets(self) -> Iterator[Target]:
        """Every branch."""
        for why, step in self.when.items():
            yield ("when", why), step

    def queues(self) -> Sequence[str]:
        """The one."""
        return [self.queue]
