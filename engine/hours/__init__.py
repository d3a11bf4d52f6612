"""When the hotline is open: calendars of weekly hours, legal holidays and days of one's own.

Knows nothing of calls. What an operator decides over the calendar's head is a standing order (engine/orders)."""

from engine.hours.calendar import Calendar, Closed, Open, State, Why

__all__ = ["Calendar", "Closed", "Open", "State", "Why"]
