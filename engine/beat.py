"""What only looks around now and then does so together with all that does: waking up costs more than looking."""

from __future__ import annotations

import asyncio


def until_beat_s(every_s: float) -> float:
    """Seconds to the next moment that everybody with the same `every_s`, or a multiple of it, wakes at."""
    left_s = every_s - asyncio.get_running_loop().time() % every_s
    return left_s if left_s > every_s / 10 else left_s + every_s  # a timer may fire a little before its moment
