"""Standing orders: what an operator decides over the head of what is written, from one moment to the next.

Hours that are forced, announcements that are on, numbers on lists. They live in the database; every engine holds all
of them in memory, so that a call asks nobody."""

from engine.orders.standing import StandingOrders
from engine.store.order_rows import AnnouncementOrder, HoursOrder, ListEntry

__all__ = ["AnnouncementOrder", "HoursOrder", "ListEntry", "StandingOrders"]
