"""The seam between a flow and a telephone.

A step is written once against `Leg` and runs on whatever implements it: an ARI channel, an AGI session, a
simulated caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.flow.digits import KEYS, Digits

ANY_KEY = KEYS
NO_KEY = ""


class HungUp(Exception):  # noqa: N818 - it is an event of the call, not an error
    """The caller is gone; unwinds the call from wherever it was."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a caller has said. `key`: the one that ended it, if one did."""

    file: Path
    duration_s: float
    key: str | None = None


class Leg(Protocol):
    """One party's telephone, as a flow sees it. Any method raises HungUp once the party has gone."""

    language: str
    digits: Digits

    @property
    def up(self) -> bool:
        """Whether the call has been answered."""

    async def answer(self) -> None:
        """Take the call; returns when the far end has been told. An answered leg stays as it is."""

    async def play(self, prompts: Sequence[str], *, stops: str = ANY_KEY) -> bool:
        """Play prompts one after the other; False when one of the keys in `stops` cut them short.

        A prompt is a name, `name@en` in that language, or the absolute path of a recording without its extension.
        No key is taken from the buffer; one of `stops` that is there already means that nothing is played.
        """

    async def digit(self, timeout_s: float) -> str | None:
        """Take the next key, typed ahead or now; None when none came in `timeout_s` seconds."""

    async def hold_music(self, on: bool, music_class: str = "default") -> None:
        """Start or stop the music."""

    async def record(self, file: Path, *, longest_s: float, silence_s: float, stops: str = "#") -> Recorded:
        """Record what the party says into `file` (.wav, 8 kHz), until a key of `stops` (which is taken), silence
        of `silence_s` seconds or `longest_s` seconds. After HungUp the file holds what was said until then."""

    async def hang_up(self, cause: int = 16) -> None:
        """End the call from our side, with a cause of ITU-T Q.850."""
