"""A line for the length of a block, and a wait for what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from engine.redis_line import RedisLine


@asynccontextmanager
async def opened(
    url: str,
    *,
    deadline_s: float = 5.0,
    domain: str = "default",
    on_back: Callable[[], None] | None = None,
) -> AsyncIterator[RedisLine]:
    line = RedisLine(url, deadline_s=deadline_s, domain=domain, on_back=on_back)
    await line.open()
    try:
        yield line
    finally:
        await line.close()


async def until(condition: Callable[[], object]) -> None:
    """Raises TimeoutError after 10 s."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - other processes set no Event
            await asyncio.sleep(0.005)
