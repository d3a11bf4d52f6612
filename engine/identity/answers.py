"""Answers that are still fresh: a caller who dials again at once is not asked about again."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

# Some 2 MB; when there are more, the oldest go.
MOST = 4096


class Answers(Generic[T]):
    """Keeps each answer for `fresh_s` seconds (0: none is kept), and at most `most` of them."""

    def __init__(self, fresh_s: float, *, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._fresh_s = fresh_s
        self._most = most
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, question: str) -> T | None:
        """None when there is none, or none that is still fresh."""
        found = self._kept.get(question)
        if found is None or self._clock() >= found[0]:
            return None
        return found[1]

    def keep(self, question: str, answer: T) -> None:
        """From now on."""
        if self._fresh_s <= 0:
            return
        now = self._clock()
        self._kept[question] = (now + self._fresh_s, answer)
        self._kept.move_to_end(question)
        # All are kept for as long as each other, so that those in front are the first to be stale.
        while len(self._kept) > self._most or next(iter(self._kept.values()))[0] <= now:
            self._kept.popitem(last=False)
