"""Callers who would rather be called than wait."""

from engine.callbacks.numbers import REGIONS, may_be_called

__all__ = ["REGIONS", "may_be_called"]
