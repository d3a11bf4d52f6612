"""What is to happen, in the order of its time."""

from __future__ import annotations

import heapq
import math
from collections.abc import Awaitable, Callable

Action = Callable[[], Awaitable[None]]


class Agenda:
    """A heap of moments. What is set for the same moment happens in the order in which it was set."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Action]] = []
        self._set = 0

    def at(self, when_ms: int, action: Action) -> None:
        """Sets it for that moment."""
        self._set += 1
        heapq.heappush(self._heap, (when_ms, self._set, action))

    @property
    def next_ms(self) -> float:
        """The moment of the next; infinite when nothing is set."""
        return self._heap[0][0] if self._heap else math.inf

    def pop(self) -> Action:
        """The next. Raises IndexError when nothing is set."""
        return heapq.heappop(self._heap)[2]
