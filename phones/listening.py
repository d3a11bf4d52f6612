"""One question to a leg's ear: is this tone, any sound, or silence there, and since when."""

import time
from collections.abc import Callable, Sequence

from phones.softphone import FRAME_S, Leg
from phones.tones import is_sound, is_tone, samples_of


class Listening:
    """Open until `lasting_s` of audio since the question are what was asked for, or the deadline passes."""

    def __init__(self, leg: Leg, what: str, hz: int, lasting_s: float, deadline: float) -> None:
        self.leg = leg
        self._wanted = WANTED[what]
        self._hz = hz
        self._frames = max(1, round(lasting_s / FRAME_S))
        self._deadline = deadline
        self._checked = self._since = leg.ear.heard
        leg.ear.listeners += 1

    def verdict(self) -> bool | None:
        if self._is_there():
            return self._close(heard=True)
        if self.leg.ended or time.monotonic() >= self._deadline:
            return self._close(heard=False)
        return None

    def _is_there(self) -> bool:
        heard = self.leg.ear.heard
        if heard - self._since < self._frames or heard == self._checked:
            return False
        self._checked = heard
        frames = list(self.leg.ear.frames)[-self._frames :]
        return self._wanted(samples_of(b"".join(frames)), self._hz)

    def _close(self, *, heard: bool) -> bool:
        self.leg.ear.listeners -= 1
        return heard


WANTED: dict[str, Callable[[Sequence[int], int], bool]] = {
    "tone": is_tone,
    "sound": lambda samples, _hz: is_sound(samples),
    "silence": lambda samples, _hz: not is_sound(samples),
}
