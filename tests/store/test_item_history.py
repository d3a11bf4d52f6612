"""Items that have ended are told by their events, the same by both databases."""

from __future__ import annotations

from typing import Any

import orjson

from engine.store.database import Database
from engine.store.item_history import EndedItem, ended_items
from engine.store.writers import EventValues

AT = 1_732_219_404_153
ADDED = {"queue": "mail", "what": "email", "subject": "Wrong invoice", "by": "crm"}


def _events(item: str, *told: tuple[str, dict[str, Any]]) -> list[EventValues]:
    return [
        (
            f"{AT}-{number}",
            item,
            AT + number,
            kind,
            orjson.dumps({"type": kind, "call": item, "at": AT, **data}).decode(),
        )
        for number, (kind, data) in enumerate(told, start=int(item[-1]) * 8)
    ]


async def test_an_item_that_ended_is_told_with_its_last_queue_and_agent(database: Database) -> None:
    events = _events(
        "item-1",
        ("item.added", ADDED),
        ("item.enqueued", {"queue": "mail"}),
        ("item.ended", {"reason": "moved"}),
        ("item.enqueued", {"queue": "urgent"}),
        ("offer.accepted", {"agent": "8002"}),
        ("item.ended", {"reason": "completed"}),
    )
    await database.record(events, [])
    (ended,) = await ended_items(database, 10)
    assert ended == EndedItem(
        id="item-1", queue="urgent", type="email", subject="Wrong invoice", by="crm", added_ms=AT + 8, agent="8002",
        ended_ms=AT + 13, reason="completed",
    )  # fmt: skip


async def test_an_item_that_goes_on_is_not_told_and_one_that_was_refused_is(database: Database) -> None:
    moved = ("item.ended", {"reason": "moved"})
    going_on = _events("item-1", ("item.added", ADDED), moved, ("item.enqueued", {"queue": "urgent"}))
    refused = _events("item-2", ("item.added", ADDED), ("item.refused", {"queue": "mail", "reason": "full"}))
    await database.record(going_on + refused, [])
    assert [(item.id, item.reason) for item in await ended_items(database, 10)] == [("item-2", "full")]
    assert await ended_items(database, 1) == await ended_items(database, 10)


async def test_ids_of_calls_and_items_are_found_by_their_beginning(database: Database) -> None:
    await database.record([*_events("item-1", ("item.added", ADDED)), *_events("01kak3", ("call.answered", {}))], [])
    assert await database.ids("item-") == ["item-1"]
    assert await database.ids("01kak3") == ["01kak3"]
    assert await database.ids("") == ["01kak3", "item-1"]
    assert await database.ids("02") == []
