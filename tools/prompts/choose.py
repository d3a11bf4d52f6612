"""Listen to the recorded words as callers hear them, and say again, in another take, those that were misheard.

python tools/prompts/choose.py           writes takes.yaml and the recordings of the words that it changed

A word that was misheard in its values is recorded in every take; each is heard in the same values, and the one with
the fewest errors in them stays.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import telephone
import yaml
from build import CACHE, SOUNDS, TAKEN, VOICES, manifest
from timed import TimedKokoro
from words import TAKES, record

from engine.sounds.hearing import Whisper
from engine.sounds.understanding import errors, units
from engine.speech.rehearsal import rehearsal

TIMES = 2
MOST_MISHEARD = 0.34
# A recogniser makes up words for speech that begins or ends with the file.
_AROUND = np.zeros(telephone.SAMPLE_RATE * 3 // 10)

Recorded = Mapping[str, telephone.Samples]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the models are kept (default: %(default)s)")
    arguments = parser.parse_args()
    whisper, kokoro = Whisper(arguments.cache), TimedKokoro(arguments.cache)
    taken = yaml.safe_load(TAKEN.read_text(encoding="utf-8"))
    for language in VOICES:
        taken[language] |= chosen(whisper, kokoro, language, taken[language])
    first_lines = TAKEN.read_text(encoding="utf-8").partition("zh-CN:")[0]
    TAKEN.write_text(first_lines + yaml.safe_dump(taken, sort_keys=False), encoding="utf-8")


def chosen(whisper: Whisper, kokoro: TimedKokoro, language: str, taken: Mapping[str, int]) -> dict[str, int]:
    """The takes of the words that were misheard; those that are better than what there was are written."""
    texts = {name: prompt[language] for name, prompt in manifest().items() if language in prompt}
    values = rehearsal(language, TIMES)
    shipped = {
        word: telephone.read_alaw(SOUNDS / language / f"{word}.alaw") for word in {word for v in values for word in v}
    }
    first = [listen(whisper, value, shipped, texts, language)[0] for value in values]
    better: dict[str, int] = {}
    for word in sorted(misheard(values, first, texts, language)):
        heard_in = [value for value in values if word in value]
        now = taken.get(word, 0)
        takes = {
            now: (shipped[word], sum(sum(wrong) for wrong, value in zip(first, values, strict=True) if word in value))
        }
        for number, take in enumerate(TAKES):
            if number != now:
                voice = VOICES[language]
                spoken = dict(record(kokoro, {word: texts[word]}, language, voice.name, voice.speed, take))
                again = [listen(whisper, value, {**shipped, **spoken}, texts, language)[0] for value in heard_in]
                takes[number] = spoken[word], sum(map(sum, again))
        best = min(takes, key=lambda number: takes[number][1])
        print(f"{language:6} {word:20} { ({n: wrong for n, (_, wrong) in takes.items()}) }: take {best}", flush=True)
        if best != now:
            better[word] = best
            shipped[word] = takes[best][0]
            telephone.write(shipped[word], SOUNDS / language / word)
    return better


def misheard(
    values: list[list[str]], mistakes: list[list[int]], texts: Mapping[str, str], language: str
) -> Iterator[str]:
    """The words that were understood too seldom."""
    wrong: Counter[str] = Counter()
    said: Counter[str] = Counter()
    for value, errors_in in zip(values, mistakes, strict=True):
        for word, errors_at in zip(value, errors_in, strict=True):
            wrong[word] += errors_at
            said[word] += len(units(texts.get(word, ""), language))
    return (word for word in wrong if wrong[word] > MOST_MISHEARD * said[word])


def listen(
    whisper: Whisper, utterance: list[str], recorded: Recorded, texts: Mapping[str, str], language: str
) -> tuple[list[int], str]:
    """How many errors were heard in each word of a value (all of it at most), and what was heard."""
    audio = np.concatenate([_AROUND, *(recorded[word] for word in utterance), _AROUND])
    spoken = [units(texts.get(word, ""), language) for word in utterance]
    heard = whisper.hear(audio, language)
    wrong = iter(errors([unit for word in spoken for unit in word], heard, language))
    return [min(sum(next(wrong) for _ in word), len(word)) for word in spoken], heard


if __name__ == "__main__":
    main()
