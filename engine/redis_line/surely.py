"""An answer that is worth any wait: whoever asks has nothing else to do, or others do it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from engine.redis_line.wire import LineDown

T = TypeVar("T")

AGAIN_S = 0.5


async def surely(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer, however long Redis is away: asked again each time that the line gives up on it. What is asked may
    have run before."""
    while True:
        try:
            return await ask()
        except LineDown:
            await asyncio.sleep(AGAIN_S)
