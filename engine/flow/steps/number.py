"""`number`: send the caller to an outside number.

branch_office:
  number: "+862188881234"
  ring: 30s
  when: {busy: leave_message, no_answer: leave_message}
  then: operator
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from engine.config.names import Name
from engine.config.units import Seconds
from engine.flow.expression import ExpressionError, Template
from engine.flow.steps.base import Outcome, Step, ToNumber
from engine.flow.visit import Visit

UNREACHED = ("busy", "no_answer", "unreachable", "refused")


class Number(Step):
    """Calls a number through the first trunk that allows it (dialplan/hotline.yaml, `trunks`), or through `trunk`
    only, and lets the two talk.

    The number may be written here or come from the call (`"{mobile}"`); in either case no trunk dials what it does
    not list. The caller hears a ring-back tone, or `music`. Where nobody was reached, `when` says where to go:
    `busy`, `no_answer`, `unreachable`, `refused` (not allowed); after the far end has hung up, `served`.
    """

    kind: ClassVar[str] = "number"
    outcomes: ClassVar[tuple[str, ...]] = (*UNREACHED, "served")
    silent: ClassVar[bool] = True
    number: Template
    trunk: Name | None = None
    ring: Seconds = Field(default=30.0, gt=0, le=180)
    music: Name | None = None

    async def run(self, visit: Visit) -> Outcome:
        """Whom to call, and where to come back to."""
        try:
            number = visit.text(self.number)
        except ExpressionError as error:
            return self.go("refused", str(error))
        return ToNumber(
            number=number,
            trunk=self.trunk,
            ring_s=self.ring,
            music=self.music,
            branches=self.when,
            then=self.then,
        )
