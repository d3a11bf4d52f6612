"""How long a caller will wait, in the sentences that there are for it: ranges of minutes, such as people give.

Each is a prompt of its own: `wait-3-to-5`, `wait-under-1`, `wait-over-10`. In Mandarin a 2 is 两 in all of them:
不到两分钟, 两到五分钟.
"""

from __future__ import annotations

from dataclasses import dataclass

_MINUTE_MS = 60_000
# “Five to ten minutes” is what people say of five to eleven.
_ROUNDED_OFF = 0.1


@dataclass(frozen=True, slots=True)
class Wait:
    """One sentence. Of those that name no end, `high_ms` is what is meant by it: nobody expects to wait for ever."""

    prompt: str
    low_ms: int
    high_ms: int


def _under(minutes: int) -> Wait:
    return Wait(f"wait-under-{minutes}", 0, minutes * _MINUTE_MS)


def _between(low: int, high: int) -> Wait:
    return Wait(f"wait-{low}-to-{high}", low * _MINUTE_MS, high * _MINUTE_MS)


_BOUNDED = (
    *map(_under, (1, 2, 3, 5, 10)),
    *(_between(1, high) for high in (2, 3, 5)),
    *(_between(2, high) for high in (3, 5, 10)),
    *(_between(3, high) for high in (5, 10, 15)),
    *(_between(5, high) for high in (10, 15, 20)),
    *(_between(10, high) for high in (15, 20, 30)),
    _between(15, 30),
)
_OVER = (30, 20, 10)
PROMPTS = (*(wait.prompt for wait in _BOUNDED), *(f"wait-over-{minutes}" for minutes in _OVER))


def spoken(low_ms: int, high_ms: int) -> Wait | None:
    """The narrowest that holds `low_ms` to `high_ms`, but for a tenth; None when they are too far apart for words."""
    latest_low_ms, least_high_ms = low_ms * (1 + _ROUNDED_OFF), high_ms * (1 - _ROUNDED_OFF)
    fitting = [wait for wait in _BOUNDED if wait.low_ms <= latest_low_ms and least_high_ms <= wait.high_ms]
    if fitting:
        return min(fitting, key=lambda wait: wait.high_ms - wait.low_ms)
    for minutes in _OVER:
        if minutes * _MINUTE_MS <= low_ms:
            return Wait(f"wait-over-{minutes}", minutes * _MINUTE_MS, high_ms)
    return None
