"""Writing the journal: an event is one entry of a Redis stream, sent in the order of the call."""

import asyncio

from engine.journal.events import Event, encode
from engine.redis_line import LineDown, RedisLine

ENTRIES_KEPT = "1000000"
"""About a day of 50,000 calls: what a dead database may cost before the oldest entries go."""
AGAIN_S = 0.1


def stream_key(domain: str) -> str:
    """The key of a routing domain's journal."""
    return f"hotline:{{{domain}}}:journal"


class Journal:
    """Appends events to the journal of one routing domain."""

    def __init__(self, line: RedisLine, domain: str = "default") -> None:
        self._line = line
        self._stream = stream_key(domain)

    def append(self, event: Event) -> None:
        """Send the event after everything that was sent on this line before it.

        Never waits and never raises for Redis; what is under way when the line breaks may be lost.
        """
        self._line.post("XADD", self._stream, "MAXLEN", "~", ENTRIES_KEPT, "*", "e", encode(event))

    async def append_surely(self, event: Event, *, deadline_s: float) -> None:
        """Append and wait until Redis has it, trying again while Redis is away: for `call.ended`.

        After a break the entry may be there twice, which a call's row, kept by its id, does not mind.
        Raises TimeoutError after `deadline_s`.
        """
        command = ("XADD", self._stream, "MAXLEN", "~", ENTRIES_KEPT, "*", "e", encode(event))
        async with asyncio.timeout(deadline_s):
            sent = False
            while not sent:
                try:
                    await self._line.call(*command)
                    sent = True
                except LineDown:
                    await asyncio.sleep(AGAIN_S)
