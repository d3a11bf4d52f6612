"""`play`: say something.

greet:
  play: [welcome]
  then: menu
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from engine.flow.steps.base import Next, Outcome, Step, Target, Visit


class Play(Step):
    """Plays prompts in the caller's language; a key cuts them short and is kept for the next step."""

    kind: ClassVar[str] = "play"
    play: list[str] = Field(min_length=1)
    interruptible: bool = True
    then: str | None = None

    async def run(self, visit: Visit) -> Outcome:
        """Plays them. Raises HungUp."""
        finished = await visit.say(self.play, interruptible=self.interruptible)
        return Next(self.then, "finished" if finished else "interrupted")

    def targets(self) -> Iterator[Target]:
        """`then`."""
        if self.then:
            yield ("then",), self.then

    def prompts(self) -> Sequence[str]:
        """All of them."""
        return self.play
