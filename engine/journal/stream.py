"""One connection of one reader of the journal: its blocking reads must not hold up the line of the calls."""

import asyncio
from typing import Any

from redis.exceptions import ResponseError

from engine.redis_line import Argument, LineDown
from engine.redis_line.finding import Finder
from engine.redis_line.wire import Wire

ANSWER_S = 5.0

Entry = tuple[bytes, list[bytes] | None]
"""An entry's id and its field names and values in turn; None when the stream was trimmed under the reader."""


class StreamDown(Exception):  # noqa: N818 - the state of the stream, in the field's words
    """Redis did not answer in time or is gone."""


class StreamReader:
    """A connection that opens when it is needed, again after a failure, and runs one command at a time.

    It leaves a server that refuses, and finds the one that serves the domain by itself, like the line of the calls.
    """

    def __init__(self, url: str, *, domain: str = "default") -> None:
        """Raises BadRedisUrl."""
        self._finder = Finder(url, domain=domain, deadline_s=ANSWER_S)
        self._wire: Wire | None = None

    async def command(self, *words: Argument, wait_ms: int = 0) -> Any:
        """The reply of a command that may block for `wait_ms`; raises StreamDown, redis.ResponseError."""
        done = False
        try:
            async with asyncio.timeout(ANSWER_S + wait_ms / 1000):
                wire = await self._connected()
                reply = await wire.ask(*words)
            done = True
        except ResponseError:
            done = True
            raise
        except (LineDown, TimeoutError) as error:
            raise StreamDown(str(error) or "no answer in time") from error
        finally:
            if not done:
                # Also when cancelled: the reply that is still on its way must not answer the next command.
                await self.close()
        return reply

    async def _connected(self) -> Wire:
        if self._wire is None or self._wire.lost.done():
            self._wire = await self._finder.connect()
            self._wire.leave_undecoded()
        return self._wire

    async def close(self) -> None:
        """Close the connection; the next command would open it again."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.abort()
