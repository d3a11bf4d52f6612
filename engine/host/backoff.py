"""How long a child stays down before it is started again: hardly at all, unless it keeps dying."""

from __future__ import annotations

PAUSES_S = (0.1, 0.5, 1.0, 2.0, 5.0)
# Whoever lived this long had started; only deaths before that make the next start wait longer.
STEADY_S = 5.0


class Backoff:
    """Of one child: counts its quick deaths in a row."""

    def __init__(self) -> None:
        self._quick_deaths = 0

    def pause_s(self, lived_s: float) -> float:
        """Seconds to wait after a death that came `lived_s` seconds after the start."""
        if lived_s >= STEADY_S:
            self._quick_deaths = 0
        pause = PAUSES_S[min(self._quick_deaths, len(PAUSES_S) - 1)]
        self._quick_deaths += 1
        return pause
