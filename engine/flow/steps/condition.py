"""`if`: one way or the other.

big_customer:
  if: customer.tier == "VIP" or balance > 10000
  then: vip
  else: menu
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from engine.flow.expression import Expression, ExpressionError
from engine.flow.steps.base import Next, Outcome, Step, Target, Written_
from engine.flow.visit import Visit


class If(Step):
    """Goes to `then` when the expression holds, to `else` when it does not, or cannot be calculated for this call
    (which the call's timeline tells)."""

    kind: ClassVar[str] = "if"
    silent: ClassVar[bool] = True
    condition: Expression = Field(alias="if")
    otherwise: Target | None = Field(default=None, alias="else")

    async def run(self, visit: Visit) -> Outcome:
        """The one or the other."""
        try:
            holds = visit.holds(self.condition)
        except ExpressionError as error:
            return Next(self.otherwise, f"cannot be calculated: {error}")
        return Next(self.then, "yes") if holds else Next(self.otherwise, "no")

    def targets(self) -> Iterator[Written_]:
        """Both."""
        yield from super().targets()
        if self.otherwise:
            yield ("else",), self.otherwise

    def goes_below(self) -> bool:
        """When either is not written."""
        return self.then is None or self.otherwise is None
