"""The same with many, some at a time: after Redis has lost something, a whole hotline is told again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import structlog

from engine.redis_line.wire import LineDown

log = structlog.get_logger("redis")
T = TypeVar("T")

AT_ONCE = 100


async def each(things: Iterable[T], do: Callable[[T], Awaitable[None]]) -> None:
    """Does it with all of them, a hundred at a time, in their order. What else goes wrong with one is logged. Raises
    LineDown."""
    left = list(things)
    while left:
        some, left = left[:AT_ONCE], left[AT_ONCE:]
        for result in await asyncio.gather(*map(do, some), return_exceptions=True):
            if isinstance(result, LineDown):
                raise result
            if isinstance(result, BaseException):
                log.error("redis.one_not_told", exc_info=result)
