"""How late the event loop is: the first thing that goes wrong when anything blocks it."""

from __future__ import annotations

import asyncio
from collections import deque

import structlog

from engine.beat import until_beat_s

log = structlog.get_logger()

EVERY_S = 0.25
# Asterisk closes a client that does not read; long before that, callers hear it.
ALARM_MS = 50.0
KEPT = 1200  # five minutes


class LoopLag:
    """Sleeps and looks how much too long it slept."""

    def __init__(self) -> None:
        self._lags: deque[float] = deque(maxlen=KEPT)

    async def watch(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            pause_s = until_beat_s(EVERY_S)
            due = loop.time() + pause_s
            await asyncio.sleep(pause_s)
            lag_ms = (loop.time() - due) * 1000
            self._lags.append(lag_ms)
            if lag_ms > ALARM_MS:
                log.warning("loop.late", ms=round(lag_ms))

    def percentile_ms(self, share: float) -> float:
        """The lag that `share` (0 to 1) of the samples do not exceed, in milliseconds."""
        ordered = sorted(self._lags)
        return round(ordered[int(share * (len(ordered) - 1))], 3) if ordered else 0.0
