"""`survey`: how was it? One key from 1 to 5; usually where a `queue` step's `when: {served: …}` leads.

how_was_it:
  survey: [survey-ask]
  thanks: [survey-thanks]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from engine.config.units import Seconds
from engine.flow.steps.base import Outcome, Step
from engine.flow.visit import Visit
from engine.journal.events import SurveyAnswered


class Survey(Step):
    """Asks, takes one key from 1 to `highest`, and thanks. Silence ends it: nobody is kept on the line for it. The
    answer is counted for the queue and the agent of the call, under `name` (`hotline surveys`). What a key means is the
    question's to say; in the shipped one 1 is the best."""

    kind: ClassVar[str] = "survey"
    outcomes: ClassVar[tuple[str, ...]] = ("answered", "silence", "wrong_key")
    survey: list[str] = Field(default=["survey-ask"], min_length=1)
    name: str = Field(default="satisfaction", min_length=1, max_length=40)
    highest: int = Field(default=5, ge=2, le=9)
    tries: int = Field(default=2, ge=1, le=5)
    wait: Seconds = 5.0
    wrong_key: list[str] = Field(default=["invalid-key"])
    thanks: list[str] = Field(default=["survey-thanks"])

    async def run(self, visit: Visit) -> Outcome:
        """The answer, if there is one. Raises HungUp."""
        # What was typed while an agent was there was no answer to this.
        visit.leg.digits.drop()
        for _ in range(self.tries):
            await visit.say(self.survey)
            key = await visit.leg.digit(self.wait)
            if key is None:
                return self.go("silence")
            if key.isdecimal() and 1 <= int(key) <= self.highest:
                visit.note(SurveyAnswered, question=self.name, score=int(key))
                await visit.say(self.thanks)
                return self.go("answered", key)
            await visit.say(self.wrong_key)
        return self.go("wrong_key", f"{self.tries} tries")

    def prompts(self) -> Sequence[str]:
        """The question and what is said after it."""
        return [*self.survey, *self.wrong_key, *self.thanks]
