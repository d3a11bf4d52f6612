"""Work that nobody waits for: kept so that it ends, and heard of when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

log = structlog.get_logger()
T = TypeVar("T")


class Chores:
    """Those of one room, whose name stands with what is logged of them."""

    def __init__(self, room: str) -> None:
        self._room = room
        self._under_way: set[asyncio.Task[Any]] = set()

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Whoever wants to know how it goes may wait for it all the same."""
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("chore.failed", room=self._room, exc_info=task.exception())

    async def done(self) -> None:
        """Until there is none, not even of those that others have begun."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    async def stop(self) -> None:
        """Wherever they are."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
