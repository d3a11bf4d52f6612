"""A redis-server for one run: on a socket in a folder of its own, keeping nothing, and gone with it."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from engine.host.child import Child
from engine.host.state import CannotRun
from engine.redis_line import LineDown, RedisLine

_DOMAIN = "simulation"
_STARTS_WITHIN_S = 10.0
_STOPS_WITHIN_S = 5.0


@asynccontextmanager
async def own_redis() -> AsyncIterator[tuple[RedisLine, str]]:
    """A line to a server that is started here and ends here, and the routing domain to use there. Raises CannotRun."""
    with tempfile.TemporaryDirectory(prefix="hotline-") as name:
        folder = Path(name)
        argv = ["redis-server", "--unixsocket", str(folder / "redis.sock"), "--unixsocketperm", "700", "--port", "0"]
        argv += ["--dir", name, "--appendonly", "no", "--save", ""]
        child = Child("redis", argv, run=folder, log_file=folder / "redis.log")
        try:
            await child.start()
        except FileNotFoundError:
            raise CannotRun("there is no redis-server; `make setup` installs it, or give --redis URL") from None
        try:
            line = RedisLine(f"unix://{folder / 'redis.sock'}?db=0")
            await _open(line, child)
            try:
                yield line, _DOMAIN
            finally:
                await line.close()
        finally:
            await child.stop(_STOPS_WITHIN_S)


async def _open(line: RedisLine, child: Child) -> None:
    """Raises CannotRun."""
    ended = asyncio.create_task(child.ended())
    try:
        async with asyncio.timeout(_STARTS_WITHIN_S):
            while True:
                try:
                    return await line.open()
                except LineDown:
                    if ended.done():
                        raise CannotRun(f"redis-server: {ended.result()}: {child.last_words()}") from None
                    await asyncio.sleep(0.01)
    except TimeoutError:
        raise CannotRun(f"redis-server did not answer in {_STARTS_WITHIN_S:.0f} s: {child.last_words()}") from None
    finally:
        ended.cancel()


@asynccontextmanager
async def given_redis(url: str) -> AsyncIterator[tuple[RedisLine, str]]:
    """A line to a server that runs already, and a routing domain there that nobody else uses and that leaves nothing
    behind. Raises LineDown, BadRedisUrl."""
    domain = f"simulation-{secrets.token_hex(6)}"
    line = RedisLine(url, domain=domain)
    await line.open()
    try:
        yield line, domain
    finally:
        await _forget(line, f"hotline:{{{domain}}}:*")
        await line.close()


async def _forget(line: RedisLine, pattern: str) -> None:
    cursor = "0"
    while True:
        cursor, keys = await line.call("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
        if keys:
            await line.call("UNLINK", *keys)
        if cursor == "0":
            return
