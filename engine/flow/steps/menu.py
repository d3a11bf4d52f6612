"""`menu`: a question answered by one key.

menu:
  menu: [menu-main]
  keys: {"1": sales, "2": service, "0": operator}
  wait: 5s
  tries: 3
  then: operator
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from engine.config.names import AsKeys, Key
from engine.config.units import Seconds
from engine.flow.leg import ANY_KEY, NO_KEY
from engine.flow.steps.base import Next, Outcome, Step, Target, Written_
from engine.flow.visit import Visit
from engine.journal.events import IvrDigit


class Menu(Step):
    """Plays the choices, takes one key. Wrong keys and silences are counted together; after `tries` of
    them the call goes to `then` (or `when: {silence: …, wrong_key: …}`, by the last mistake), so that nobody
    circles in a menu for ever. `type_ahead: false` forgets keys that were pressed before the question."""

    kind: ClassVar[str] = "menu"
    outcomes: ClassVar[tuple[str, ...]] = ("silence", "wrong_key")
    menu: list[str] = Field(min_length=1)
    keys: Annotated[dict[Key, Target], AsKeys] = Field(min_length=1)
    wait: Seconds = 5.0
    tries: int = Field(default=3, ge=1, le=10)
    wrong_key: list[str] = Field(default=["invalid-key"])
    silence: list[str] = Field(default=["no-input"])
    interruptible: bool = True
    type_ahead: bool = True

    async def run(self, visit: Visit) -> Outcome:
        """Asks until a listed key comes or the tries are used up. Raises HungUp."""
        if not self.type_ahead:
            visit.leg.digits.drop()
        mistake = "silence"
        for _ in range(self.tries):
            await visit.say(self.menu, stops=ANY_KEY if self.interruptible else NO_KEY)
            key = await visit.leg.digit(self.wait)
            if key is not None:
                visit.note(IvrDigit, digit=key)
            if key in self.keys:
                return Next(self.keys[key], f"key {key}")
            mistake = "silence" if key is None else "wrong_key"
            await visit.say(self.silence if key is None else self.wrong_key)
        return self.go(mistake, f"{self.tries} tries")

    def targets(self) -> Iterator[Written_]:
        """Every key's step, and what follows too many mistakes."""
        for key, step in self.keys.items():
            yield ("keys", key), step
        yield from super().targets()

    def prompts(self) -> Sequence[str]:
        """The question and both answers to a mistake."""
        return [*self.menu, *self.wrong_key, *self.silence]
