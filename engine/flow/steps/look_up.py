"""`look_up`: ask the identity endpoint who is calling.

who:
  look_up: caller
  when: {rejected: refused}
  then: menu
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from engine.flow.steps.base import Next, Outcome, Step, Target, Visit
from engine.identity.contract import Outcome as Answered

# Silence longer than this makes a caller think that the line is dead.
MUSIC_AFTER_S = 1.0


class LookUp(Step):
    """One question to the identity endpoint, one branch for each way it may answer."""

    kind: ClassVar[str] = "look_up"
    look_up: Literal["caller"]
    when: dict[Answered, str] = Field(default_factory=dict)
    then: str | None = None

    async def run(self, visit: Visit) -> Outcome:
        """Asks; music after a second of silence. Raises HungUp."""
        music: list[asyncio.Future[None]] = []
        timer = asyncio.get_running_loop().call_later(
            MUSIC_AFTER_S, lambda: music.append(asyncio.ensure_future(visit.leg.hold_music(True)))
        )
        try:
            outcome = await visit.look_up()
        finally:
            timer.cancel()
        for begun in music:
            await begun
            await visit.leg.hold_music(False)
        return Next(self.when.get(Answered(outcome), self.then), outcome)

    def targets(self) -> Iterator[Target]:
        """Every branch."""
        for outcome, step in self.when.items():
            yield ("when", outcome), step
        if self.then:
            yield ("then",), self.then
