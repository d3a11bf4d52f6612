"""The keys of one call: pressed when the caller likes, taken when a step asks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

KEYS = "0123456789*#"

# More keys than any menu or account number needs: a stuck key must not grow the buffer for ever.
MOST = 64
# The pause between two tones is 40 ms at the least (ITU-T Q.24), and phones that dial by themselves keep to just that,
# give or take an RTP packet: one key again with less than half of it between, or with both at once, is one press that
# came by two transports (RFC 4733 and SIP INFO). Not so when both lasted exactly as long: many a phone writes the same
# duration into each INFO, however quickly it is pressed, and then a key of a number must not be lost.
PAUSE_S = 0.02
# A tone is 40 ms at the least as well: within less, give or take a packet, nobody presses a key again.
# On a busy machine Asterisk was seen to tell of one a second time, just as it was.
PRESS_S = 0.06
STRAY_S = 2.0


class Digits:
    """The one buffer of a call. A key stays in it until a step takes it, whatever it interrupted meanwhile."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys: deque[str] = deque(maxlen=MOST)
        self._clock = clock
        self._last = ("", 0.0, 0.0)
        self._stray, self._stray_until = "", 0.0

    def press(self, key: str, lasted_s: float = 0.0, at_s: float | None = None) -> bool:
        """A key was let go after so many seconds; False when nobody wants it: the last one over again by another
        transport, or one that ends what is complete already. `at_s`: when that was by the clock of whoever tells, as
        on a busy machine keys come in heaps."""
        now, (before, ended, before_lasted) = self._clock(), self._last
        at = now if at_s is None else at_s
        self._last = (key, at, lasted_s)
        echo = lasted_s != before_lasted and at - lasted_s - ended < PAUSE_S
        told_twice = lasted_s > 0 and lasted_s == before_lasted and at - ended < PRESS_S
        if key not in KEYS or (key == before and (echo or told_twice)):
            return False
        stray, self._stray = self._stray, ""
        if key == stray and now < self._stray_until:
            return False
        self._keys.append(key)
        return True

    def take(self) -> str | None:
        """The oldest key, which is then gone from here."""
        return self._keys.popleft() if self._keys else None

    def ignore_next(self, key: str) -> None:
        """People type the # behind a number that was complete without it: the next key, if it is that one and comes
        soon, belongs to the number and not to the next question."""
        if self._keys and self._keys[0] == key:
            self._keys.popleft()
        elif not self._keys:
            self._stray, self._stray_until = key, self._clock() + STRAY_S

    def drop(self) -> None:
        """Forgets what was typed ahead."""
        self._keys.clear()

    def any_of(self, keys: str) -> bool:
        """Whether one of `keys` is among those that wait."""
        return any(key in keys for key in self._keys)

    def __len__(self) -> int:
        return len(self._keys)
