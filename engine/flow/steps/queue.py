"""`queue`: wait for an agent.

sales:
  queue: sales
  for_tier: {VIP: vip}
  when: {timed_out: sorry, served: survey}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from engine.config.models import Requirement
from engine.flow.claim import tier_of
from engine.flow.steps.base import Outcome, Step, ToQueue
from engine.flow.visit import Visit


class Queue(Step):
    """Hands the caller to a queue; `for_tier` to another one for callers of a tier.

    `when` says where they go if no agent was reached (`timed_out`), and after the agent has hung up (`served`);
    without a branch for `served` the call ends with the conversation.
    """

    kind: ClassVar[str] = "queue"
    outcomes: ClassVar[tuple[str, ...]] = ("timed_out", "served")
    queue: str
    for_tier: dict[str, str] = Field(default_factory=dict)
    require: Requirement | None = None

    async def run(self, visit: Visit) -> Outcome:
        """Where to wait, and where to come back to."""
        queue = self.for_tier.get(tier_of(visit.variables), self.queue)
        return ToQueue(queue=queue, require=self.require, branches=self.when, then=self.then)

    def queues(self) -> Sequence[str]:
        """The one, and those of the tiers."""
        return [self.queue, *self.for_tier.values()]
