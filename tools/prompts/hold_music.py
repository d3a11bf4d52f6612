"""The hold music: a slow piece for a mallet over soft chords, composed here and synthesised from sines.

The notes lie between 200 and 1,200 Hz, where a telephone is good. Every sound's tail is folded back to the
beginning, so that the last second runs into the first without a seam.
"""

from __future__ import annotations

import numpy as np
import telephone
from numpy.typing import NDArray

RATE = telephone.SAMPLE_RATE
BEAT_S = 0.75
BARS = 16
LENGTH = int(BARS * 4 * BEAT_S * RATE)
LEVEL_DB = -24.0

# One bar a chord, in MIDI note numbers. Close voicings in F major, no bass that a telephone would lose.
_F, _DM, _BB, _GM, _C, _AM = (
    (57, 60, 65),
    (57, 62, 65),
    (58, 62, 65),
    (58, 62, 67),
    (60, 64, 67),
    (57, 60, 64),
)
CHORDS = [_F, _AM, _DM, _BB, _F, _DM, _GM, _C, _BB, _C, _AM, _DM, _GM, _BB, _C, _F]

# (bar, beat, note, beats): F pentatonic (F G A C D), so that nothing grates however long one waits.
MELODY = [
    (0, 0, 77, 1.5), (0, 2, 81, 1.0), (0, 3, 79, 1.0),
    (1, 0, 76, 1.5), (1, 2, 72, 2.0),
    (2, 0, 74, 1.0), (2, 1, 77, 1.0), (2, 2, 81, 2.0),
    (3, 0, 79, 1.5), (3, 2, 74, 2.0),
    (4, 0, 72, 1.0), (4, 1, 77, 1.0), (4, 2, 79, 1.0), (4, 3, 81, 1.0),
    (5, 0, 84, 2.0), (5, 2, 81, 2.0),
    (6, 0, 79, 1.5), (6, 2, 77, 1.0), (6, 3, 74, 1.0),
    (7, 0, 72, 3.0),
    (8, 0, 74, 1.0), (8, 1, 77, 1.0), (8, 2, 82, 2.0),
    (9, 0, 79, 1.5), (9, 2, 76, 2.0),
    (10, 0, 81, 1.5), (10, 2, 76, 1.0), (10, 3, 72, 1.0),
    (11, 0, 74, 1.0), (11, 1, 77, 1.0), (11, 2, 81, 2.0),
    (12, 0, 82, 1.5), (12, 2, 79, 1.0), (12, 3, 74, 1.0),
    (13, 0, 77, 2.0), (13, 2, 74, 2.0),
    (14, 0, 76, 1.0), (14, 1, 79, 1.0), (14, 2, 76, 1.0), (14, 3, 72, 1.0),
    (15, 0, 77, 3.0),
]  # fmt: skip


def compose() -> telephone.Samples:
    """The loop, 48 s at 8 kHz, full scale 1.0."""
    loop = np.zeros(LENGTH)
    for bar, chord in enumerate(CHORDS):
        for note in chord:
            _add(loop, bar * 4, _pad(note, 4 * BEAT_S))
        for beat, note in enumerate((chord[0], chord[1], chord[2], chord[1])):
            _add(loop, bar * 4 + beat, 0.35 * _pluck(note, 1.6))
    for bar, beat, note, beats in MELODY:
        _add(loop, bar * 4 + beat, _pluck(note, beats * BEAT_S + 1.2))
    return telephone.at_level(loop, LEVEL_DB, peak_db=-9.0)


def _add(loop: NDArray[np.float64], beat: float, sound: NDArray[np.float64]) -> None:
    at = (round(beat * BEAT_S * RATE) + np.arange(len(sound))) % LENGTH
    np.add.at(loop, at, sound)


def _pluck(note: int, seconds: float) -> NDArray[np.float64]:
    """A soft mallet: three partials, the higher the shorter."""
    t = np.arange(int(seconds * RATE)) / RATE
    tone = sum(
        weight * np.sin(2 * np.pi * partial * _hertz(note) * t) * np.exp(-t * decay)
        for partial, weight, decay in ((1, 1.0, 2.2), (2, 0.3, 4.0), (3, 0.12, 7.0))
    )
    return np.asarray(0.5 * tone * np.minimum(1, t / 0.008) * np.minimum(1, (seconds - t) / 0.1))


def _pad(note: int, seconds: float) -> NDArray[np.float64]:
    """A chord's note that swells and ebbs into its neighbours, slightly doubled so that it breathes."""
    t = np.arange(int((seconds + 1.0) * RATE)) / RATE
    swell = np.minimum(1, t / 1.0) * np.minimum(1, (seconds + 1.0 - t) / 1.0)
    tone = np.sin(2 * np.pi * _hertz(note) * t) + np.sin(2 * np.pi * _hertz(note) * 1.002 * t)
    tone += 0.25 * np.sin(4 * np.pi * _hertz(note) * t)
    return np.asarray(0.07 * tone * swell)


def _hertz(note: int) -> float:
    return float(440 * 2 ** ((note - 69) / 12))
