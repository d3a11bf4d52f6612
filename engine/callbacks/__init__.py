"""Callers who would rather be called than wait."""

from engine.callbacks.callback import Callback, is_callback, item_of
from engine.callbacks.life import CLOSED, TRANSITIONS, IllegalTransition, State
from engine.callbacks.numbers import REGIONS, may_be_called

__all__ = [
    "CLOSED",
    "REGIONS",
    "TRANSITIONS",
    "Callback",
    "IllegalTransition",
    "State",
    "is_callback",
    "item_of",
    "may_be_called",
]
