"""`say`: a value in words: a number, an amount of money, a date, a time, a telephone number.

balance:
  say: [your-balance-is, {money: "{balance}"}]
  when: {unspeakable: operator}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from engine.flow.expression import Template
from engine.flow.steps.base import Outcome, Step
from engine.flow.visit import Visit
from engine.speech import LANGUAGES, Kind, prompts_for

Spoken = Annotated[dict[Kind, Template], Field(min_length=1, max_length=1)]


def _as_list(written: Any) -> Any:
    """One value by itself needs no brackets."""
    return [written] if isinstance(written, dict) else written


class Say(Step):
    """Says values in the caller's language, and prompts before, between and after them, in one breath.

    Kinds of values: `digits, number, money, date, weekday, time, phone`. Where one cannot be said, because it is no
    such value or was never set, nothing is: the outcome is `unspeakable`.
    """

    kind: ClassVar[str] = "say"
    outcomes: ClassVar[tuple[str, ...]] = ("said", "unspeakable")
    say: Annotated[list[str | Spoken], BeforeValidator(_as_list)] = Field(min_length=1)

    async def run(self, visit: Visit) -> Outcome:
        """Says them; a key cuts them short and is kept for the next step. Raises HungUp."""
        try:
            prompts = list(self._prompts(visit))
        except ValueError as error:  # an ExpressionError is one
            return self.go("unspeakable", str(error))
        await visit.say(prompts)
        return self.go("said")

    def _prompts(self, visit: Visit) -> Iterator[str]:
        for part in self.say:
            if isinstance(part, str):
                yield part
                continue
            for kind, value in part.items():
                yield from prompts_for(kind, visit.text(value), visit.leg.language)

    @model_validator(mode="after")
    def _what_is_written_out_can_be_said(self) -> Say:
        for part in self.say:
            for kind, value in part.items() if isinstance(part, dict) else ():
                if value.fixed:
                    prompts_for(kind, value.text, LANGUAGES[0])
        return self

    def prompts(self) -> Sequence[str]:
        """Those between the values."""
        return [part for part in self.say if isinstance(part, str)]

    def says_values(self) -> bool:
        """If any of it is one."""
        return any(isinstance(part, dict) for part in self.say)
