"""A caller's telephone that is made up: prompts last as long as they do, keys come when the caller presses them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.flow.digits import Digits
from engine.flow.leg import ANY_KEY, HungUp, Recorded

# How long a simulated caller talks into a voicemail.
TALKS_S = 5.0


class SimulatedLeg:
    """One party, a Leg. `lasts`: how long a prompt is in a language, in seconds. `plays` is told of everything that is
    to be played, and whether it is: nobody hears what a key that was typed ahead has made needless."""

    def __init__(
        self, language: str, lasts: Callable[[str, str], float], plays: Callable[[bool], None] = lambda _: None
    ) -> None:
        loop = asyncio.get_running_loop()
        self.language = language
        self.digits = Digits(clock=loop.time)
        self.ended: int | None = None
        """The cause with which the hotline has hung up."""
        self._lasts, self._plays = lasts, plays
        self._up = False
        self._gone = False
        self._change = asyncio.Event()
        self._asked = True  # anew, since the caller has last done something
        self._listens = False
        self._timeouts = 0

    # What a flow does with it.

    @property
    def up(self) -> bool:
        """Whether the call has been answered."""
        return self._up

    async def answer(self) -> None:
        """Takes the call."""
        self._there()
        self._up = True

    async def play(self, prompts: Sequence[str], *, stops: str = ANY_KEY) -> bool:
        """Lasts as long as the prompts do, unless a key cuts it short."""
        self._there()
        known = self.digits.any_of(stops)
        self._plays(not known)
        if known:
            return False
        self._asked = True
        lasts_s = sum(self._lasts(prompt, self.language) for prompt in prompts)
        return not await self._within(lasts_s, lambda: self.digits.any_of(stops))

    async def digit(self, timeout_s: float) -> str | None:
        """The next key; the caller may press one now."""
        self._there()
        if not self.digits:
            self._listen(True)
            try:
                if not await self._within(timeout_s, lambda: len(self.digits) > 0):
                    self._timeouts += 1
                    self._asked = True
            finally:
                self._listen(False)
        return self.digits.take()

    async def hold_music(self, on: bool, music_class: str = "default") -> None:
        """Is heard by nobody."""
        self._there()

    async def record(self, file: Path, *, longest_s: float, silence_s: float, stops: str = "#") -> Recorded:
        """The caller talks for a while, and then presses a key or is silent."""
        self._there()
        loop = asyncio.get_running_loop()
        began = loop.time()
        talks_s = min(TALKS_S, longest_s)
        if not await self._within(talks_s, lambda: self.digits.any_of(stops)):
            self._listen(True)
            try:
                await self._within(min(silence_s, longest_s - talks_s), lambda: self.digits.any_of(stops))
            finally:
                self._listen(False)
        key = None
        while self.digits and key is None:
            taken = self.digits.take()
            key = taken if taken and taken in stops else None
        return Recorded(file, min(loop.time() - began, talks_s), key)

    async def hang_up(self, cause: int = 16) -> None:
        """The hotline ends it."""
        self.ended = cause

    # What the caller does with it.

    async def asked(self) -> None:
        """Waits until the hotline listens to what it has asked since the caller's last key."""
        await self._until(lambda: self._asked and self._listens)

    async def unanswered(self) -> None:
        """Waits until the hotline has given up waiting for a key."""
        before = self._timeouts
        await self._until(lambda: self._timeouts > before)

    def press(self, key: str) -> None:
        """A key."""
        self._asked = False
        self.digits.press(key)
        self._changed()

    def leave(self) -> None:
        """The caller hangs up."""
        self._gone = True
        self._changed()

    def _listen(self, on: bool) -> None:
        self._listens = on
        self._changed()

    def _changed(self) -> None:
        """Wakes whoever waits, each of whom looks for themselves."""
        self._change.set()
        self._change = asyncio.Event()

    def _there(self) -> None:
        if self._gone:
            raise HungUp

    async def _until(self, so: Callable[[], bool]) -> None:
        while not so():
            await self._change.wait()

    async def _within(self, seconds: float, so: Callable[[], bool]) -> bool:
        """Whether it came to be so in time. Raises HungUp."""
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await self._until(lambda: self._gone or so())
        except TimeoutError:
            pass
        self._there()
        return so()
