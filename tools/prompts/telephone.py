"""What a telephone trunk carries: 8 kHz, its band, its level, G.711."""

from __future__ import annotations

from math import gcd
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import signal

SAMPLE_RATE = 8_000
KOKORO_RATE = 24_000
Samples = NDArray[np.float64]


def to_telephone(samples: Samples, rate: int) -> Samples:
    """Resampled to 8 kHz, without the rumble that a telephone's ear does not speak.

    The top of the band is kept whole: most of what tells one Mandarin sibilant from another lies above 3 kHz.
    """
    factor = gcd(rate, SAMPLE_RATE)
    resampled = signal.resample_poly(samples, SAMPLE_RATE // factor, rate // factor, window=("kaiser", 9.0))
    rumble = signal.butter(3, 150, "highpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(signal.sosfilt(rumble, resampled))


def trim(
    samples: Samples, lead_s: float = 0.1, tail_s: float = 0.15, begin_db: float = -50.0, end_db: float = -40.0
) -> Samples:
    """Silence cut, by the level of 10 ms frames below the loudest, to `lead_s` before and `tail_s` after.

    The beginning of a sentence is looked for deeper: without its first breath 请 (qǐng) is heard as 新 (xīn).
    """
    frame = SAMPLE_RATE // 100
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    level_db = 20 * np.log10(np.sqrt(np.mean(frames**2, axis=1)) + 1e-9)
    level_db -= level_db.max()
    begin = np.flatnonzero(level_db > begin_db)[0]
    end = np.flatnonzero(level_db > end_db)[-1]
    speech = samples[begin * frame : (end + 1) * frame]
    edge = np.arange(len(speech))
    faded: Samples = speech * np.minimum(1, np.minimum(edge, edge[::-1]) / 40)
    return np.concatenate([np.zeros(int(lead_s * SAMPLE_RATE)), faded, np.zeros(int(tail_s * SAMPLE_RATE))])


def tone(hertz: float, seconds: float, peak_db: float) -> Samples:
    """A sine with soft edges, between 0.1 s and 0.15 s of silence as around speech."""
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    edges = np.minimum(1, np.minimum(t, t[::-1]) / 0.01)
    sine = 10 ** (peak_db / 20) * np.sin(2 * np.pi * hertz * t) * edges
    return np.concatenate([np.zeros(SAMPLE_RATE // 10), sine, np.zeros(SAMPLE_RATE * 3 // 20)])


def at_level(samples: Samples, rms_db: float, peak_db: float = -3.5) -> Samples:
    """Scaled so that its active part has `rms_db` re full scale; peaks near `peak_db` bend, never clip."""
    active = np.abs(samples) > np.abs(samples).max() * 0.02
    scaled: Samples = samples * (10 ** (rms_db / 20) / np.sqrt(np.mean(samples[active] ** 2)))
    ceiling = 10 ** (peak_db / 20)
    knee = ceiling * 0.6
    over = np.abs(scaled) > knee
    scaled[over] = np.sign(scaled[over]) * (
        knee + (ceiling - knee) * np.tanh((np.abs(scaled[over]) - knee) / (ceiling - knee))
    )
    return scaled


def write(samples: Samples, stem: Path) -> None:
    """`stem`.alaw and `stem`.ulaw, headerless, as Asterisk's format_pcm reads them."""
    pcm = np.clip(np.rint(samples * 32767), -32768, 32767).astype(np.int32)
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_name(stem.name + ".alaw").write_bytes(_alaw(pcm))
    stem.with_name(stem.name + ".ulaw").write_bytes(_ulaw(pcm))


def read_alaw(path: Path) -> Samples:
    """The samples of a headerless A-law file, full scale 1.0."""
    return np.asarray(_ALAW_PCM[np.frombuffer(path.read_bytes(), np.uint8)] / 32768.0)


def _alaw_expansion() -> NDArray[np.int32]:
    """ITU-T G.711 A-law, every code to 16-bit linear."""
    code = np.arange(256) ^ 0x55
    segment, step = (code >> 4) & 7, code & 15
    magnitude = np.where(segment == 0, (step << 4) + 8, ((step << 4) + 0x108) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int32)


def _ulaw_expansion() -> NDArray[np.int32]:
    """ITU-T G.711 mu-law, every code to 16-bit linear."""
    code = ~np.arange(256) & 0xFF
    magnitude = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int32)


_ALAW_PCM = _alaw_expansion()
_ULAW_PCM = _ulaw_expansion()


def _alaw(pcm: NDArray[np.int32]) -> bytes:
    return _nearest_code(pcm, _ALAW_PCM)


def _ulaw(pcm: NDArray[np.int32]) -> bytes:
    return _nearest_code(pcm, _ULAW_PCM)


def _nearest_code(pcm: NDArray[np.int32], expansion: NDArray[np.int32]) -> bytes:
    order = np.argsort(expansion, kind="stable")
    levels = expansion[order]
    above = np.clip(np.searchsorted(levels, pcm), 1, 255)
    nearer_below = pcm - levels[above - 1] < levels[above] - pcm
    return bytes(order[np.where(nearer_below, above - 1, above)].astype(np.uint8))
