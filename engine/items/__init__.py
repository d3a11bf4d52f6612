"""Items that are no calls: an email, a chat, a task waits in a queue and is offered to an agent's program."""

from engine.items.board import Board, NotThere, NotThisItem, TooMany
from engine.items.item import Item, TooLarge, is_item, new_item
from engine.items.serving import policies_of, policy_of

__all__ = [
    "Board",
    "Item",
    "NotThere",
    "NotThisItem",
    "TooLarge",
    "TooMany",
    "is_item",
    "new_item",
    "policies_of",
    "policy_of",
]
