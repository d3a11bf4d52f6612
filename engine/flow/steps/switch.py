"""`switch`: one way for each value.

by_tier:
  switch: customer.tier
  cases: {VIP: vip, gold: gold}
  else: menu
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from engine.flow.expression import Expression, ExpressionError, as_text
from engine.flow.steps.base import Next, Outcome, Step, Target, Written_
from engine.flow.visit import Visit


def _as_text(cases: Any) -> Any:
    """YAML reads an unquoted 1 as a number and `yes` as true; the admin meant what the value looks like."""
    return {as_text(case): target for case, target in cases.items()} if isinstance(cases, dict) else cases


class Switch(Step):
    """Goes where the value of an expression says, compared as text; to `else` for every other value."""

    kind: ClassVar[str] = "switch"
    silent: ClassVar[bool] = True
    switch: Expression
    cases: Annotated[dict[str, Target], BeforeValidator(_as_text)] = Field(min_length=1)
    otherwise: Target | None = Field(default=None, alias="else")

    async def run(self, visit: Visit) -> Outcome:
        """The case of the value."""
        try:
            value = as_text(self.switch.of(visit.values()))
        except ExpressionError as error:
            return Next(self.otherwise or self.then, f"cannot be calculated: {error}")
        return Next(self.cases.get(value, self.otherwise or self.then), value or "empty")

    def targets(self) -> Iterator[Written_]:
        """Every case."""
        for case, target in self.cases.items():
            yield ("cases", case), target
        if self.otherwise:
            yield ("else",), self.otherwise
        yield from super().targets()

    def goes_below(self) -> bool:
        """For a value without a case."""
        return self.then is None and self.otherwise is None
