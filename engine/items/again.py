"""Items between two queues. Whoever takes one out of a queue to put it into another notes that first, in Redis: an
engine that dies in between leaves the note to its successor."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson
import structlog

from engine.items.item import Item
from engine.redis_line import RedisLine

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Again:
    """Where an item goes, and since when it counts as waiting there: a moment to come when it is put off until then.
    `back`: the queue that it goes to if that one refuses it. `preferred`: who is asked first. `head_start_ms` and
    `strict`: the priority that somebody has given it."""

    item: Item
    came_ms: int
    back: str = ""
    preferred: str = ""
    head_start_ms: int = 0
    strict: int = 0


class Agains:
    """The notes of one engine."""

    def __init__(self, line: RedisLine, engine: str, domain: str = "default") -> None:
        self._line = line
        self._key = f"hotline:{{{domain}}}:items-again:{engine}"
        self._notes: dict[str, Again] = {}

    def note(self, again: Again) -> None:
        """In the order of our other commands: before the item leaves its queue."""
        self._notes[again.item.id] = again
        self._line.post("HSET", self._key, again.item.id, orjson.dumps(asdict(again)))

    def noted(self, item_id: str) -> Again | None:
        """Where the item goes next, if anywhere."""
        return self._notes.get(item_id)

    def forget(self, item_id: str) -> None:
        """It is there, or never left."""
        if self._notes.pop(item_id, None) is not None:
            self._line.post("HDEL", self._key, item_id)

    def note_again(self) -> None:
        """After Redis has lost something: all notes."""
        for again in list(self._notes.values()):
            self.note(again)

    async def left_behind(self) -> list[Again]:
        """The notes of an engine before this one, and none of ours. Raises LineDown."""
        words: list[str] = await self._line.call("HGETALL", self._key)
        found = []
        for item_id, text in zip(words[::2], words[1::2], strict=True):
            if item_id in self._notes:
                continue
            try:
                self._notes[item_id] = _read(orjson.loads(text))
                found.append(self._notes[item_id])
            except (TypeError, ValueError, KeyError) as error:
                log.warning("item.note_unreadable", item=item_id, error=str(error))
        return found


def _read(data: dict[str, Any]) -> Again:
    return Again(**{**data, "item": Item(**data["item"])})
