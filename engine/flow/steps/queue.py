"""`queue`: wait for an agent.

sales:
  queue: sales
  for_tier: {VIP: vip}
  when: {timed_out: sorry, served: survey}
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar

from pydantic import Field

from engine.config.names import Requirement
from engine.config.units import Seconds
from engine.flow.claim import tier_of
from engine.flow.expression import ExpressionError, Template
from engine.flow.steps.base import Outcome, Step, ToQueue
from engine.flow.visit import Visit

ALWAYS = ("timed_out", "served")


class Queue(Step):
    """Hands the caller to a queue; `for_tier` to another one for callers of a tier.

    `when` says where they go if no agent was reached (`timed_out`), and after the agent has hung up (`served`);
    without a branch for `served` the call ends with the conversation. The other outcomes need a branch to be told
    apart. Without one, a queue that is `full`, has `closed`, or from which a supervisor has `withdrawn` the caller
    leads where `timed_out` does; a caller waits on where there are `no_agents` or `none_eligible`; and a key for
    `callback`, `voicemail` or `leave` does nothing.

    `preferred` names an agent who is to answer, for `patience` nobody else: the extension that was dialled, say.
    """

    kind: ClassVar[str] = "queue"
    outcomes: ClassVar[tuple[str, ...]] = (
        *ALWAYS,
        *("full", "no_agents", "none_eligible", "closed", "withdrawn"),
        *("callback", "voicemail", "leave"),
    )
    queue: str
    for_tier: dict[str, str] = Field(default_factory=dict)
    require: Requirement | None = None
    preferred: Template | None = None
    patience: Seconds = 30.0

    async def run(self, visit: Visit) -> Outcome:
        """Where to wait, and where to come back to."""
        preferred = self._preferred(visit)
        return ToQueue(
            queue=self.for_tier.get(tier_of(visit.variables), self.queue),
            require=self.require,
            preferred=preferred,
            patience_s=self.patience if preferred else 0.0,
            branches=self.when,
            then=self.then,
        )

    def _preferred(self, visit: Visit) -> str:
        """An agent of the site, or nobody: what a caller has keyed in, or an endpoint has said, may be anything."""
        named = ""
        if self.preferred is not None:
            with suppress(ExpressionError):
                named = visit.text(self.preferred)
        return named if named in visit.site.agents else ""

    def told_apart(self) -> Sequence[str]:
        """What always may be, and what has a branch."""
        return [outcome for outcome in self.outcomes if outcome in ALWAYS or outcome in self.when]

    def queues(self) -> Sequence[str]:
        """The one, and those of the tiers."""
        return [self.queue, *self.for_tier.values()]
