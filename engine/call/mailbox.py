"""What the ACD tells one call, in the order in which it was decided."""

from __future__ import annotations

import asyncio
from collections import deque

from engine.acd import Notice


class Mailbox:
    """One reader, who never waits for a letter that is there already. A call never gets more than a few at once."""

    def __init__(self) -> None:
        self._letters: deque[Notice] = deque()
        self._waiting: asyncio.Future[None] | None = None

    def put(self, notice: Notice) -> None:
        """Wakes the reader."""
        self._letters.append(notice)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def take(self) -> Notice | None:
        """The oldest, or None."""
        return self._letters.popleft() if self._letters else None

    def arrived(self) -> asyncio.Future[None]:
        """Done as soon as there is something to take."""
        if self._waiting is None or self._waiting.done():
            self._waiting = asyncio.get_running_loop().create_future()
            if self._letters:
                self._waiting.set_result(None)
        return self._waiting

    def drop(self) -> None:
        """Whatever is there concerns a place that was given up."""
        self._letters.clear()
