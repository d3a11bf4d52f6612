"""A caller waits for a machine: after a second of silence, with music."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from engine.flow.leg import Leg

T = TypeVar("T")

# Silence longer than this makes a caller think that the line is dead.
MUSIC_AFTER_S = 1.0


async def with_music(leg: Leg, work: Awaitable[T]) -> T:
    """What `work` gives; it has its own deadline. Music from a second on until it is done, unless the call is not
    answered yet: then the carrier lets it ring. Raises HungUp."""
    music: list[asyncio.Future[None]] = []

    def begin() -> None:
        if leg.up:
            music.append(asyncio.ensure_future(leg.hold_music(True)))
            music[-1].add_done_callback(_nobody_minds)

    timer = asyncio.get_running_loop().call_later(MUSIC_AFTER_S, begin)
    try:
        result = await work
    finally:
        timer.cancel()
    for begun in music:
        await begun
        await leg.hold_music(False)
    return result


def _nobody_minds(music: asyncio.Future[None]) -> None:
    """A caller who has left while it began is told to the step by whatever it does next."""
    if not music.cancelled():
        music.exception()
