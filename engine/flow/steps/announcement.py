"""`announcement`: what an operator has switched on for everybody who calls.

incident:
  announcement: banner-incident
  then: menu
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import structlog

from engine.flow.leg import ANY_KEY, NO_KEY
from engine.flow.steps.base import Outcome, Step
from engine.flow.visit import Visit
from engine.sounds import UnknownPrompt

log = structlog.get_logger()


class Announcement(Step):
    """Plays the prompt of this name, or the one that the operator named, while it is on: `hotline announcements on
    banner-incident --for 4h`. Says nothing while it is off."""

    kind: ClassVar[str] = "announcement"
    silent: ClassVar[bool] = True
    outcomes: ClassVar[tuple[str, ...]] = ("played", "off")
    announcement: str
    interruptible: bool = True

    async def run(self, visit: Visit) -> Outcome:
        """Heard, or nothing to hear. Raises HungUp."""
        order = visit.services.orders.announcement(self.announcement, visit.now())
        if order is None:
            return self.go("off")
        stops = ANY_KEY if self.interruptible else NO_KEY
        if not (order.say and await say_if_there(visit, order.say, stops=stops)):
            await visit.say([self.announcement], stops=stops)
        return self.go("played", order.say)

    def prompts(self) -> Sequence[str]:
        """Its own."""
        return [self.announcement]


async def say_if_there(visit: Visit, prompt: str, *, stops: str = ANY_KEY) -> bool:
    """Plays a prompt that an operator named; False when this call's version of the site has none of that name.
    Raises HungUp."""
    try:
        await visit.say([prompt], stops=stops)
    except UnknownPrompt:
        log.warning("orders.unknown_prompt", call=visit.call_id, prompt=prompt)
        return False
    return True
