"""Items that have ended, as their events tell them: an item needs no row of its own."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Text, literal, select

from engine.store.database import Database
from engine.store.tables import call_events

_FIRST, _LAST = "item-", "item."  # every id that begins with item-, byte by byte
_TELLING = ("item.enqueued", "offer.accepted", "item.ended", "item.refused")


@dataclass(frozen=True, slots=True)
class EndedItem:
    """One item. `queue` and `agent`: the last it had."""

    id: str
    queue: str
    type: str
    subject: str
    by: str
    added_ms: int
    agent: str
    ended_ms: int
    reason: str


async def ended_items(database: Database, limit: int) -> list[EndedItem]:
    """Among the `limit` items that were added last, those that have ended; the latest first. Raises DatabaseDown."""
    columns = call_events.c
    between = columns.call_id.between(literal(_FIRST, Text), literal(_LAST, Text))
    added = await database.rows(
        select(columns.call_id, columns.at_ms, columns.data)
        .where(between, columns.type == "item.added")
        .order_by(columns.call_id.desc())
        .limit(limit)
    )
    ids, told = [row.call_id for row in added], columns.type.in_(_TELLING)
    events = await database.rows(
        select(columns.id, columns.call_id, columns.type, columns.at_ms, columns.data).where(
            columns.call_id.in_(ids), told
        )
    )
    ends = _ends(events)
    return [_item(row, ends[row.call_id]) for row in added if ends.get(row.call_id, {}).get("reason")]


def _ends(events: Iterable[Row[Any]]) -> dict[str, dict[str, Any]]:
    """How each item stands after its last event; without a reason, it has not ended."""
    found: dict[str, dict[str, Any]] = {}
    for event in sorted(events, key=lambda event: tuple(map(int, event.id.split("-")))):
        item = found.setdefault(event.call_id, {})
        if event.type == "item.enqueued":
            item |= {"queue": event.data["queue"], "reason": ""}
        elif event.type == "offer.accepted":
            item["agent"] = event.data["agent"]
        else:
            item |= {"reason": event.data["reason"], "ended_ms": event.at_ms}
    return found


def _item(added: Row[Any], end: Mapping[str, Any]) -> EndedItem:
    data = added.data
    return EndedItem(
        id=added.call_id,
        queue=end.get("queue", data["queue"]),
        type=data["what"],
        subject=data["subject"],
        by=data["by"],
        added_ms=added.at_ms,
        agent=end.get("agent", ""),
        ended_ms=end["ended_ms"],
        reason=end["reason"],
    )
