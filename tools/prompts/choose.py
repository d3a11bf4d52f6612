"""Listen to the recorded words as callers hear them, and say again, in another take, those that were misheard.

python tools/prompts/choose.py           writes takes.yaml and the recordings of the words that it changed

A word that was misheard in its values is recorded in every take; each is heard in the same values, and the one with
the fewest errors in them stays.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping
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
    said = rehearsal(language, TIMES)
    shipped = {
        name: telephone.read_alaw(SOUNDS / language / f"{name}.alaw") for name in {word for u in said for word in u}
    }
    mistakes: dict[str, int] = defaultdict(int)
    for utterance in said:
        for word, wrong in zip(utterance, listen(whisper, utterance, shipped, texts, language)[0], strict=True):
            mistakes[word] += wrong
    better: dict[str, int] = {}
    for word in sorted(word for word, wrong in mistakes.items() if wrong):
        heard_in = [utterance for utterance in said if word in utterance]
        found = {}
        for number, take in enumerate(TAKES):
            voice = VOICES[language]
            spoken = dict(record(kokoro, {word: texts[word]}, language, voice.name, voice.speed, take))
            found[number] = (
                spoken[word],
                sum(
                    sum(listen(whisper, utterance, {**shipped, **spoken}, texts, language)[0]) for utterance in heard_in
                ),
            )
        now = taken.get(word, 0)
        best = min(found, key=lambda number: (found[number][1], number != now))
        print(f"{language:6} {word:20} {', '.join(str(wrong) for _, wrong in found.values())}: take {best}", flush=True)
        if best != now:
            better[word] = best
            shipped[word] = found[best][0]
            telephone.write(shipped[word], SOUNDS / language / word)
    return better


def listen(
    whisper: Whisper, utterance: list[str], recorded: Recorded, texts: Mapping[str, str], language: str
) -> tuple[list[int], str]:
    """How many errors were heard in each word of a value, and what was heard."""
    audio = np.concatenate([_AROUND, *(recorded[word] for word in utterance), _AROUND])
    spoken = [units(texts.get(word, ""), language) for word in utterance]
    heard = whisper.hear(audio, language)
    wrong = iter(errors([unit for word in spoken for unit in word], heard, language))
    return [sum(next(wrong) for _ in word) for word in spoken], heard


if __name__ == "__main__":
    main()
