"""The seam between a flow and a telephone.

A step is written once against `Leg` and runs on whatever implements it: an ARI channel now, an AGI session
and a simulated caller in later rooms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class HungUp(Exception):  # noqa: N818 - it is an event of the call, not an error
    """The caller is gone; unwinds the call from wherever it was."""


class Leg(Protocol):
    """One party's telephone, as a flow sees it. Any method raises HungUp once the party has gone."""

    language: str

    async def answer(self) -> None:
        """Take the call; returns when the far end has been told."""

    async def play(self, prompts: Sequence[str], *, interruptible: bool = True) -> bool:
        """Play prompts one after the other; False when a key cut them short (the key is kept)."""

    async def digit(self, timeout_s: float) -> str | None:
        """The next key, typed ahead or now; None when none came in `timeout_s` seconds."""

    async def hold_music(self, on: bool) -> None:
        """Start or stop the music."""

    async def hang_up(self) -> None:
        """End the call from our side."""
