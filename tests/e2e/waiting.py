"""Waiting for something to become true, never for time to pass."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

T = TypeVar("T")

LOOK_EVERY_S = 0.03


async def until(look: Callable[[], Awaitable[T]], *, within: float, what: str) -> T:
    """What `look` gives as soon as it is true; fails the test after `within` seconds, with what was seen last."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        found = await look()
        if found:
            return found
        if loop.time() > deadline:
            pytest.fail(f"not within {within:g} s: {what} (seen last: {found!r})")
        await asyncio.sleep(LOOK_EVERY_S)


async def until_none(look: Callable[[], Awaitable[list[str]]], *, within: float) -> None:
    """Waits until `look` finds nothing any more; fails the test with what it still found."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while left := await look():
        if loop.time() > deadline:
            pytest.fail(f"still there after {within:g} s: {', '.join(left)}")
        await asyncio.sleep(LOOK_EVERY_S)
