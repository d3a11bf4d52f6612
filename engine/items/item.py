"""One item: what its queue knows of it, and what it carries along for whoever takes it."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from engine.acd import ItemState

# An item is a pointer to something that lies elsewhere, and Redis keeps it in memory.
MOST_BYTES = 2048

_BEGINNING = "item-"


class TooLarge(Exception):  # noqa: N818 - said to whoever brings it
    """More than an item may carry."""


@dataclass(frozen=True, slots=True)
class Item:
    """`type`: what it is, such as email. `data`: JSON of whoever added it, for whoever takes it. `by`: who added it."""

    id: str
    queue: str
    type: str
    subject: str
    data: Any
    by: str
    added_ms: int

    @property
    def text(self) -> str:
        """What the ACD keeps of it beside queue and type."""
        kept = {"subject": self.subject, "data": self.data, "by": self.by, "added_ms": self.added_ms}
        return orjson.dumps(kept).decode()

    def fields(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def is_item(item_id: str) -> bool:
    """Whether it is one of ours: calls have other ids."""
    return item_id.startswith(_BEGINNING)


def new_item(queue: str, type_: str, *, subject: str = "", data: Any = None, by: str = "") -> Item:
    """An item that nobody knows yet; ids can be sorted by time. Raises TooLarge."""
    now_ms = time.time_ns() // 1_000_000
    item = Item(f"{_BEGINNING}{now_ms:011x}{secrets.token_hex(3)}", queue, type_, subject, data, by, now_ms)
    if (size := len(item.text.encode())) > MOST_BYTES:
        raise TooLarge(
            f"subject and data are {size} bytes as JSON, and {MOST_BYTES} are the most: leave what is long where it "
            "is, and put its address into `data`"
        )
    return item


def item_of(state: ItemState) -> Item:
    """As the ACD has kept it. Raises ValueError, KeyError for what no engine of ours has written."""
    return Item(id=state.id, queue=state.queue, type=state.type, **orjson.loads(state.data))
