"""The other end of the API: how the command line asks a running engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson

# The host in the URL means nothing on a Unix socket, but HTTP wants one.
_BASE = "http://engine"


class NoEngine(Exception):  # noqa: N818 - said to a person
    """No engine answers at this state folder."""


class Refused(Exception):  # noqa: N818 - said to a person
    """The engine's answer was an error; the message is its own. `status`: HTTP's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


async def ask(socket: Path, path: str, *, body: Any = None, method: str = "", timeout_s: float = 10.0) -> Any:
    """One question; with a body it is a POST unless `method` says otherwise. Raises NoEngine, Refused."""
    async with _session(socket) as session:
        try:
            async with session.request(
                method or ("GET" if body is None else "POST"),
                _BASE + path,
                data=None if body is None else orjson.dumps(body),
                timeout=aiohttp.ClientTimeout(total=timeout_s),
            ) as response:
                answer = await response.read()
                if response.status >= 400:
                    raise Refused(answer.decode(errors="replace"), response.status)
                return orjson.loads(answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NoEngine(
                f"no hotline answers at {socket}; start it with `hotline up`, or name its --state"
            ) from error


@asynccontextmanager
async def events(socket: Path) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The journal as it happens. Raises NoEngine."""
    async with _session(socket) as session:
        try:
            websocket = await session.ws_connect(_BASE + "/v1/events")
        except (aiohttp.ClientError, OSError) as error:
            raise NoEngine(f"no hotline answers at {socket}") from error

        async def each() -> AsyncIterator[dict[str, Any]]:
            async for message in websocket:
                yield orjson.loads(message.data)

        async with websocket:
            yield each()


@asynccontextmanager
async def _session(socket: Path) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as session:
        yield session
