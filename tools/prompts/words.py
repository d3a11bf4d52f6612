"""The words that numbers are said with, recorded in a row and cut out of it, so that they join to a number again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import telephone
from numpy.typing import NDArray
from timed import FRAME_S, TimedKokoro

from engine.sounds.tts.phonemes import phonemes

LEAD_S, TAIL_S = 0.015, 0.035
WORD_RMS_DB = -19.0
# Higher than a sentence's: a breath between the words of a number is heard as one more syllable (则三则六 for 三六),
# and what is left of a nasal behind it as well (部分地 for 分).
BEGIN_DB = -36.0
# English words end with quiet consonants, as the th of eighth; Mandarin ones do not.
END_DB = {"zh-CN": -28.0, "en": -52.0}
_ROW = 6
_EDGES = {"zh-CN": ("七十", "三千"), "en": ("seventy", "thousand")}
_SEPARATOR = ", "
# Of the comma alone: the network takes the space for a part of the next word, and would draw out how that begins.
_PAUSE_S = 0.25
# What misaki says otherwise: 一 keeps its tone in a month and loses it before 千.
_SAID = {"一千": "i↘ʨʰjɛ→n", "一月": "i→ɥe↘"}
# Vowels and tones: a consonant that takes its time is heard as a syllable of its own.
_DRAWN_OUT = set("→↗↘↓aeiouyæɑɐɒɔəɚɛɜɨɪɤʊʌᵻᵊAIOQWY")
_SYLLABLE = {"zh-CN": re.compile("[→↗↘↓]"), "en": re.compile("[AIOQWYaeiouæɑɐɒɔəɚɛɜɪʊʌᵻᵊ]+")}


@dataclass(frozen=True, slots=True)
class Take:
    """One way to say a word: how long a syllable is at least, and whether the word ends its sentence."""

    syllable_s: float
    last: bool = False


# The first is taken unless another was understood better: takes.yaml.
TAKES = (Take(0.33), Take(0.28), Take(0.38), Take(0.30, last=True))
# In a word of several they are shorter.
_OF_SEVERAL = 0.72


def record(
    kokoro: TimedKokoro, words: Mapping[str, str], language: str, voice: str, speed: float, take: Take
) -> Iterator[tuple[str, telephone.Samples]]:
    """Each prompt of `words` (name: text), at 8 kHz, with next to no silence around it."""
    names = list(words)
    row = 1 if take.last else _ROW
    first, last = (phonemes(text, language) for text in _EDGES[language])
    for at in range(0, len(names), row):
        some = names[at : at + row]
        said = [first, *(_phonemes(words[name], language) for name in some), *([] if take.last else [last])]
        pieces = _cut(kokoro, said, _SYLLABLE[language], voice, speed, take.syllable_s)
        for name, piece in zip(some, pieces[1:], strict=False):
            line = telephone.to_telephone(piece, telephone.KOKORO_RATE)
            line = telephone.trim(line, lead_s=LEAD_S, tail_s=TAIL_S, begin_db=BEGIN_DB, end_db=END_DB[language])
            yield name, telephone.at_level(line, WORD_RMS_DB)


def _phonemes(text: str, language: str) -> str:
    if language == "en":
        return phonemes(text.replace("-", " "), language)
    # A third tone before a third is said as a second: 五百, 九点.
    return re.sub("↓(?=[^→↗↘↓]+↓$)", "↗", _SAID.get(text) or phonemes(text, language))


def _cut(
    kokoro: TimedKokoro, words: list[str], syllable: re.Pattern[str], voice: str, speed: float, syllable_s: float
) -> list[NDArray[np.float64]]:
    row = _SEPARATOR.join(words) + "."
    durations = kokoro.durations(row, voice, speed).copy()
    at, ends = 1, []
    for word in words:
        stop = at + len(word)
        syllables = len(syllable.findall(word))
        least = syllables * syllable_s * (_OF_SEVERAL if syllables > 1 else 1) / FRAME_S
        vowels = at + np.flatnonzero([phoneme in _DRAWN_OUT for phoneme in word])
        drawn, missing = durations[vowels].sum(), max(0.0, least - durations[at:stop].sum())
        durations[vowels] = np.round(durations[vowels] * (1 + missing / drawn))
        if word is not words[-1]:
            durations[stop] = _PAUSE_S / FRAME_S
        ends.append(stop)
        at = stop + len(_SEPARATOR)
    audio = kokoro.speak_timed(row, voice, durations)
    begins = np.concatenate([[0], np.cumsum(durations)]) * FRAME_S
    cuts = [_quietest(audio, begins[stop] - 0.1, begins[stop] + 0.2) for stop in ends[:-1]]
    edges = [0.0, *cuts, len(audio) / telephone.KOKORO_RATE]
    return [audio[int(a * telephone.KOKORO_RATE) : int(b * telephone.KOKORO_RATE)] for a, b in pairwise(edges)]


def _quietest(audio: NDArray[np.float64], begin_s: float, end_s: float) -> float:
    """The middle of the quietest 30 ms between two moments: where one word has ended and none has begun."""
    width = round(0.03 * telephone.KOKORO_RATE)
    part = audio[int(begin_s * telephone.KOKORO_RATE) : int(end_s * telephone.KOKORO_RATE)]
    energy = np.convolve(part**2, np.ones(width), mode="valid")
    return begin_s + (int(energy.argmin()) + width / 2) / telephone.KOKORO_RATE
