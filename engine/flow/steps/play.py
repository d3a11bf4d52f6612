"""`play`: say something.

greet:
  play: [welcome]
  for_tier: {VIP: [vip-welcome]}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from engine.flow.claim import tier_of
from engine.flow.leg import ANY_KEY, NO_KEY
from engine.flow.steps.base import Outcome, Step
from engine.flow.visit import Visit


class Play(Step):
    """Plays prompts in the caller's language; a key cuts them short and is kept for the next step.

    `interruptible: false` plays them to the end; `keep: false` forgets the keys that were pressed until then.
    `for_tier` has other prompts for callers of a tier.
    """

    kind: ClassVar[str] = "play"
    play: list[str] = Field(min_length=1)
    for_tier: dict[str, list[str]] = Field(default_factory=dict)
    interruptible: bool = True
    keep: bool = True

    async def run(self, visit: Visit) -> Outcome:
        """Plays them. Raises HungUp."""
        prompts = self.for_tier.get(tier_of(visit.variables), self.play)
        finished = await visit.say(prompts, stops=ANY_KEY if self.interruptible and self.keep else NO_KEY)
        if not self.keep:
            visit.leg.digits.drop()
        return self.go("finished" if finished else "interrupted")

    outcomes: ClassVar[tuple[str, ...]] = ("finished", "interrupted")

    def prompts(self) -> Sequence[str]:
        """All of them."""
        return [*self.play, *(prompt for prompts in self.for_tier.values() for prompt in prompts)]
