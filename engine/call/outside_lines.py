"""How many calls the trunks carry for us to the outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from engine.asterisk.channel import Channel
from engine.config.dialling import Way


class OutsideLines:
    """This engine's; each trunk has so many as its `most_calls` says."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def free(self, ways: Sequence[Way]) -> Way | None:
        """The first way with a line to spare."""
        return next((way for way in ways if self._taken[way.trunk] < way.most_calls), None)

    def hold(self, trunk: str, leg: Channel) -> None:
        """This leg takes one of the trunk's lines for as long as it lives."""
        self._taken[trunk] += 1
        leg.gone.add_done_callback(lambda _: self._taken.subtract((trunk,)))
