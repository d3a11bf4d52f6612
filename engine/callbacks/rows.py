"""How far callbacks have got, in the database.

Levels, not edges: of each callback the last word is written, again and again while the database is away, or while the
ledger has not yet written that somebody has asked.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from engine.callbacks.callback import Callback
from engine.callbacks.life import State
from engine.store.database import Database, DatabaseDown
from engine.store.leavings import Callback as Row
from engine.store.leavings import Leavings

log = structlog.get_logger()

AGAIN_S = 0.5
# Somebody else has asked for the same first: then there is no row of this one, and never will be.
NEVER_AFTER = 240
MOST = 10_000


@dataclass(slots=True)
class _Word:
    callback: Callback
    tries: int = 0


class Rows:
    """Of one engine; the database is lent to it."""

    def __init__(self, database: Database) -> None:
        self._leavings = Leavings(database)
        self._words: dict[str, _Word] = {}
        self._news = asyncio.Event()

    def __contains__(self, callback_id: str) -> bool:
        """Whether there is something to write of it that the database does not know yet."""
        return callback_id in self._words

    def write(self, callback: Callback) -> None:
        """Nobody waits until that is done."""
        self._words[callback.id] = _Word(callback)
        self._news.set()

    async def run(self) -> None:
        """Writes what there is to write, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self.flush()
            if self._words:
                await asyncio.sleep(AGAIN_S)
                self._news.set()

    async def flush(self) -> None:
        """All of it, once."""
        for callback_id, word in list(self._words.items()):
            try:
                written = await self._leavings.note_callback(callback_id, _values(word.callback))
            except DatabaseDown as fault:
                log.warning("callback.database_away", error=str(fault), effect="it is written later")
                return
            except Exception:  # one that cannot be written must not keep the others from it
                log.exception("callback.not_written", callback=callback_id)
                written = True
            word.tries += 1
            if (written or word.tries > NEVER_AFTER) and self._words.get(callback_id) is word:
                del self._words[callback_id]

    async def open_ones(self) -> list[Callback]:
        """Those that are not closed, the longest waiting first. Raises DatabaseDown."""
        return [_callback(row) for row in await self._leavings.callbacks(limit=MOST)]

    async def is_open(self, queue: str, number: str) -> bool:
        """Whether somebody has asked that queue for a call to this number. Raises DatabaseDown."""
        return any(row.number == number for row in await self._leavings.callbacks(queue=queue, limit=MOST))

    async def one(self, callback_id: str) -> Callback | None:
        """Open or closed; None when it is not there, or not yet. Raises DatabaseDown."""
        word = self._words.get(callback_id)
        if word is not None:
            return word.callback
        row = await self._leavings.callback(callback_id)
        return _callback(row) if row is not None else None


def _values(callback: Callback) -> dict[str, int | str | None]:
    return {
        "queue": callback.queue,
        "head_start_ms": callback.head_start_ms,
        "state": str(callback.state),
        "attempts": callback.attempts,
        "next_ms": callback.next_ms,
        "reason": callback.reason,
        "closed_ms": callback.closed_ms,
        "closed_by": callback.closed_by,
    }


def _callback(row: Row) -> Callback:
    return Callback(
        id=row.id,
        call_id=row.call_id,
        queue=row.queue,
        number=row.number,
        asked_ms=row.asked_ms,
        placed_ms=row.placed_ms or row.asked_ms,
        head_start_ms=row.head_start_ms,
        require=row.require,
        language=row.language,
        name=row.name,
        state=State(row.state),
        attempts=row.attempts,
        next_ms=row.next_ms,
        reason=row.reason,
        closed_ms=row.closed_ms,
        closed_by=row.closed_by,
    )
