"""`collect`: a number keyed in.

order_number:
  collect: order
  ask: [enter-order-number]
  min: 6
  max: 12
  confirm: digits
  when: {silence: operator, too_short: operator}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from engine.flow.entry import CONFIRMATION, CORRECTIONS, Entry, EntryState, ask_for, confirmed
from engine.flow.steps.base import Outcome, Step
from engine.flow.steps.set import OwnName
from engine.flow.visit import Visit
from engine.journal.events import IvrEntered
from engine.speech import Kind, prompts_for


class Collect(Step, Entry):
    """Asks for a number by keys and keeps it under a name.

    Its length, the keys that end it (`end`) or begin it anew (`again`) and the time-outs are those of
    engine/flow/entry.py. `confirm` says it back (as `digits`, `number`, `phone` or `money`) and asks for 1, or 2 to
    key it in again. `secret: true` keeps the keys out of the call's events. `type_ahead: false` forgets keys that
    were pressed before the question.
    """

    kind: ClassVar[str] = "collect"
    outcomes: ClassVar[tuple[str, ...]] = ("ok", "silence", "too_short", "unconfirmed")
    collect: OwnName
    ask: list[str] = Field(min_length=1)
    tries: int = Field(default=3, ge=1, le=10)
    confirm: Literal["digits", "number", "phone", "money"] | None = None
    secret: bool = False
    type_ahead: bool = True

    async def run(self, visit: Visit) -> Outcome:
        """Asks until the entry is complete (and confirmed) or the tries are used up. Raises HungUp."""
        if not self.type_ahead:
            visit.leg.digits.drop()
        why = "silence"
        for _ in range(self.tries):
            entry = await ask_for(visit, self.ask, self)
            if entry.state is not EntryState.COMPLETE:
                why = str(entry.state)
            elif await self._confirmed(visit, entry.keys):
                visit.note(IvrEntered, keys="" if self.secret else entry.keys, length=len(entry.keys))
                visit.set(self.collect, entry.keys)
                return self.go("ok")
            else:
                why = "unconfirmed"
        return self.go(why, f"{self.tries} tries")

    async def _confirmed(self, visit: Visit, keys: str) -> bool:
        if self.confirm is None:
            return True
        try:
            spoken = prompts_for(Kind(self.confirm), keys, visit.leg.language)
        except ValueError:  # 0012 is no number, but it is what was keyed in
            spoken = prompts_for(Kind.DIGITS, keys, visit.leg.language)
        return await confirmed(visit, spoken, self.first)

    @model_validator(mode="after")
    def _secrets_are_not_said(self) -> Collect:
        if self.secret and self.confirm:
            raise ValueError("`secret` keys are not said back; leave out `confirm`")
        return self

    def sets(self) -> Sequence[str]:
        """The number."""
        return [self.collect]

    def prompts(self) -> Sequence[str]:
        """The question, and what is said of mistakes."""
        return [*self.ask, *CORRECTIONS.values(), *(CONFIRMATION if self.confirm else ())]

    def says_values(self) -> bool:
        """To have it confirmed."""
        return self.confirm is not None
