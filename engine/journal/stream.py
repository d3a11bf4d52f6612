"""One connection of one reader of the journal: its blocking reads must not hold up the line of the calls."""

import asyncio
import math
from typing import Any

import hiredis
from redis.asyncio.connection import Connection, parse_url
from redis.exceptions import RedisError, ResponseError

ANSWER_S = 5.0

Entry = tuple[bytes, list[bytes] | None]
"""An entry's id and its field names and values in turn; None when the stream was trimmed under the reader."""


class StreamDown(Exception):  # noqa: N818 - the state of the stream, in the field's words
    """Redis did not answer in time or is gone."""


class StreamReader:
    """A connection that opens when it is needed, again after a failure, and runs one command at a time."""

    def __init__(self, url: str) -> None:
        options: dict[str, Any] = dict(parse_url(url))
        kind = options.pop("connection_class", Connection)
        # One deadline for all of a command, below: the connection's own would each cost a task or a timer.
        options["socket_timeout"] = options["socket_connect_timeout"] = None
        self._connection: Connection = kind(protocol=2, **options)

    async def command(self, *words: str | bytes | int, wait_ms: int = 0) -> Any:
        """The reply of a command that may block for `wait_ms`; raises StreamDown, redis.ResponseError."""
        done = False
        try:
            async with asyncio.timeout(ANSWER_S + wait_ms / 1000):
                await self._connection.connect()  # type: ignore[no-untyped-call]
                await self._connection.send_packed_command(hiredis.pack_command(tuple[Any, ...](words)))
                reply = await self._connection.read_response(timeout=math.inf)
            done = True
        except ResponseError:
            done = True
            raise
        except (RedisError, OSError, TimeoutError) as error:
            raise StreamDown(str(error) or "no answer in time") from error
        finally:
            if not done:
                # Also when cancelled: the reply that is still on its way must not answer the next command.
                await self._connection.disconnect(nowait=True)
        return reply

    async def close(self) -> None:
        """Close the connection; the next command would open it again."""
        await self._connection.disconnect(nowait=True)
