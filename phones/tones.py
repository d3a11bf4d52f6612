"""Is that tone there? Goertzel's algorithm on blocks of 16-bit samples.

G. Goertzel, "An Algorithm for the Evaluation of Finite Trigonometric Series", 1958: one bin of a Fourier
transform in one multiplication a sample, which is all it takes to tell one sine from everything else.
"""

import math
import sys
from array import array
from collections.abc import Sequence

RATE_HZ = 8000
FULL_SCALE = 32768.0

# A-law adds noise at 1-3 % of the energy and a speech harmonic rarely holds half of it for 200 ms.
DOMINANT_SHARE = 0.6
# Comfort noise and A-law's idle pattern lie below -55 dBFS, a quiet prompt well above -40 dBFS.
FLOOR_DBFS = -48.0


def samples_of(pcm: bytes) -> "array[int]":
    """Little-endian signed 16-bit PCM as numbers; an odd last byte is an error (ValueError)."""
    samples = array("h")
    samples.frombytes(pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def level_dbfs(samples: Sequence[int]) -> float:
    """Mean level in dB below a full-scale square wave; -inf for digital silence or no samples at all."""
    energy = sum(s * s for s in samples)
    if not energy:
        return -math.inf
    return 10 * math.log10(energy / len(samples)) - 20 * math.log10(FULL_SCALE)


def share_of_tone(samples: Sequence[int], hz: float, *, rate_hz: int = RATE_HZ) -> float:
    """How much of the block's energy (0..1) lies at `hz`, give or take `rate_hz / len(samples)`."""
    energy = sum(s * s for s in samples)
    if not energy:
        return 0.0
    coefficient = 2 * math.cos(2 * math.pi * hz / rate_hz)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + coefficient * last - before
    power = last * last + before * before - coefficient * last * before
    return min(1.0, 2 * power / (len(samples) * energy))


def is_tone(samples: Sequence[int], hz: float) -> bool:
    """Whether `hz` is audible and dominates the block (8 kHz samples)."""
    return is_sound(samples) and share_of_tone(samples, hz) >= DOMINANT_SHARE


def is_sound(samples: Sequence[int]) -> bool:
    """Whether the block is louder than a line's idle noise: a prompt, music, a voice, a tone."""
    return level_dbfs(samples) > FLOOR_DBFS
