"""Who calls: from a script, or a person at the terminal who is asked whenever the hotline asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from engine.simulator.keys import Act, BadKeys, Leave, Press, Silence, Wait, read_keys
from engine.simulator.leg import SimulatedLeg

# Between two keys of one number: slower than one press twice (engine/flow/digits.py), faster than any time-out.
BETWEEN_KEYS_S = 0.2

Say = Callable[[str], None]


class Script:
    """Does one thing after the other, then is silent. `left`: what the hotline never asked for."""

    def __init__(self, acts: Iterable[Act]) -> None:
        self.left = list(acts)

    async def call(self, leg: SimulatedLeg, say: Say) -> None:
        """Until the script is over."""
        at_once = False
        while self.left:
            at_once = await _do(self.left[0], leg, say, at_once=at_once)
            del self.left[0]


class Person:
    """Is asked for keys by `ask`, which gives a line, or None when there is nobody any more."""

    def __init__(self, ask: Callable[[], str | None], complain: Say) -> None:
        self._ask, self._complain = ask, complain
        self.left: list[Act] = []

    async def call(self, leg: SimulatedLeg, say: Say) -> None:
        """Until they hang up."""
        act: Act | None = None
        while not isinstance(act, Leave):
            await leg.asked()
            at_once = False
            for act in self._acts():
                at_once = await _do(act, leg, say, at_once=at_once)

    def _acts(self) -> Iterator[Act]:
        while True:
            line = self._ask()
            if line is None:
                yield Leave()
                return
            try:
                yield from read_keys(line) or [Silence()]
            except BadKeys as error:
                self._complain(str(error))
            else:
                return


async def _do(act: Act, leg: SimulatedLeg, say: Say, *, at_once: bool) -> bool:
    """Does it; True when what follows is not to wait for a question."""
    if isinstance(act, Wait):
        await asyncio.sleep(act.seconds)
        return True
    if not at_once:
        await leg.asked()
    match act:
        case Press(keys=keys):
            say(f"the caller presses {keys}")
            for number, key in enumerate(keys):
                if number:
                    await asyncio.sleep(BETWEEN_KEYS_S)
                leg.press(key)
        case Silence():
            say("the caller says nothing")
            await leg.unanswered()
        case Leave():
            say("the caller hangs up")
            leg.leave()
    return False
