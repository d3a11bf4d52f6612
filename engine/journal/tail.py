"""The journal as it happens, for whoever watches: the API's sockets, the demo."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Self

from engine.journal.events import Event, UnknownEvent, decode
from engine.journal.journal import stream_key
from engine.journal.stream import StreamDown, StreamReader

BATCH = 200
BLOCK_MS = 5_000
RETRY_S = 0.5


@dataclass(frozen=True, slots=True)
class TailedEvent:
    """An event and its id in the stream, from which a reader can go on later."""

    id: str
    event: Event


class Tail:
    """`async with Tail(url) as tail: async for tailed in tail`: every event from the moment of entering, or
    after the given stream id. At most one batch is held in memory: a slow watcher reads later, not more.

    Raises StreamDown on entering when Redis is away; once in, waits for it to come back and misses nothing.
    """

    def __init__(self, url: str, *, domain: str = "default", after: str | None = None) -> None:
        self._reader = StreamReader(url, domain=domain)
        self._stream = stream_key(domain)
        self._after = after
        self._held: deque[TailedEvent] = deque()

    async def __aenter__(self) -> Self:
        if self._after is None:
            newest = await self._reader.command("XREVRANGE", self._stream, "+", "-", "COUNT", 1)
            self._after = newest[0][0].decode() if newest else "0-0"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._reader.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> TailedEvent:
        while not self._held:
            await self._read()
        return self._held.popleft()

    async def _read(self) -> None:
        if self._after is None:
            raise RuntimeError("a Tail is read inside `async with`")
        words = ("XREAD", "COUNT", BATCH, "BLOCK", BLOCK_MS, "STREAMS", self._stream, self._after)
        try:
            reply = await self._reader.command(*words, wait_ms=BLOCK_MS)
        except StreamDown:
            await asyncio.sleep(RETRY_S)
            return
        for stream_id, entry in reply[0][1] if reply else ():
            self._after = stream_id.decode()
            self._held.append(TailedEvent(self._after, _event(entry[1])))


def _event(payload: bytes) -> Event:
    try:
        return decode(payload)
    except ValueError:
        return UnknownEvent("", 0, "unreadable", {"entry": payload.decode("utf-8", "replace")})
