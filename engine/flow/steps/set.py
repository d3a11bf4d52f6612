"""`set`: keep values under names.

english:
  set: {language: "'en'", tries: tries + 1}
  then: menu
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from engine.flow.expression import Expression, ExpressionError
from engine.flow.steps.base import Outcome, Step
from engine.flow.visit import Visit

# A name with a dot is the hotline's own, such as caller.number.
OwnName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,39}$")]


class Set(Step):
    """Each value is an expression, so that text stands in quotes of its own. `language` is what prompts are
    spoken in from here on. A value that cannot be calculated for this call leaves the variable as it was; the
    outcome is then `failed`."""

    kind: ClassVar[str] = "set"
    silent: ClassVar[bool] = True
    outcomes: ClassVar[tuple[str, ...]] = ("set", "failed")
    values: dict[OwnName, Expression] = Field(alias="set", min_length=1)

    async def run(self, visit: Visit) -> Outcome:
        """One after the other, each seeing those before it."""
        failed = ""
        for name, expression in self.values.items():
            try:
                value = expression.of(visit.values())
            except ExpressionError as error:
                failed = f"{name} {error}"
                continue
            visit.set(name, value if isinstance(value, str | bool | int | float) else None)
        return self.go("failed", failed) if failed else self.go("set")

    def sets(self) -> Sequence[str]:
        """All of them."""
        return list(self.values)
