"""Make every recording of engine/sounds: the manifest's words spoken by Kokoro, in a trunk's rate and codecs.

python tools/prompts/build.py            all prompts and the hold music
python tools/prompts/build.py welcome    only the prompts named

The words of numbers, dates and times are said in a row and cut out of it (words.py), the way that takes.yaml says.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hold_music
import numpy as np
import telephone
import yaml
from timed import TimedKokoro
from words import TAKES, record

from engine.sounds.tts.phonemes import phonemes
from engine.speech import vocabulary

HERE = Path(__file__).resolve().parent
SOUNDS = HERE.parents[1] / "engine" / "sounds"
TAKEN = HERE / "takes.yaml"
CACHE = Path(tempfile.gettempdir()) / "hotline-prompts"
SPEECH_RMS_DB = -19.0
TONE_PEAK_DB = -11.0
# Said after a number, as its unit: joined to it like one of its words.
_UNITS = {"points"}


@dataclass(frozen=True, slots=True)
class Voice:
    name: str
    speed: float


# Chosen by verify.py's ear: docs/prompts.md has the comparison.
VOICES = {"zh-CN": Voice("zm_yunxi", 0.88), "en": Voice("af_heart", 0.95)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prompts", nargs="*", metavar="NAME", help="prompts to make (default: all, and the music)")
    parser.add_argument(
        "--cache", type=Path, default=CACHE, help="where model and voices are kept (default: %(default)s)"
    )
    arguments = parser.parse_args()
    prompts = manifest()
    if unknown := set(arguments.prompts) - prompts.keys():
        parser.error(f"not in the manifest: {', '.join(sorted(unknown))}")
    kokoro = TimedKokoro(arguments.cache)
    for language in VOICES:
        asked = {name: prompts[name] for name in arguments.prompts or prompts}
        for name, samples in recordings(kokoro, asked, language):
            telephone.write(samples, SOUNDS / language / name)
            print(f"{language:6} {name:24} {len(samples) / telephone.SAMPLE_RATE:5.2f} s", flush=True)
    if not arguments.prompts:
        telephone.write(hold_music.compose(), SOUNDS / "moh" / "hold")


def manifest() -> dict[str, dict[str, Any]]:
    """Every prompt: its words by language, or its silence or tone."""
    prompts: dict[str, dict[str, Any]] = yaml.safe_load((SOUNDS / "manifest.yaml").read_text(encoding="utf-8"))
    return prompts["prompts"]


def is_word(name: str, language: str) -> bool:
    """Whether a prompt is only ever heard joined to others."""
    return name in vocabulary(language) | _UNITS


def recordings(kokoro: TimedKokoro, prompts: dict[str, dict[str, Any]], language: str) -> Any:
    """Name and samples of each prompt that has anything to be heard in `language`, words first."""
    texts = {name: prompt[language] for name, prompt in prompts.items() if language in prompt}
    taken = yaml.safe_load(TAKEN.read_text(encoding="utf-8"))[language]
    by_take: dict[int, dict[str, str]] = defaultdict(dict)
    for name, text in texts.items():
        if is_word(name, language):
            by_take[taken.get(name, 0)][name] = text
    voice = VOICES[language]
    for take, words in by_take.items():
        yield from record(kokoro, words, language, voice.name, voice.speed, TAKES[take])
    for name, prompt in prompts.items():
        if "silence_s" in prompt:
            yield name, np.zeros(int(prompt["silence_s"] * telephone.SAMPLE_RATE))
        elif "tone_hz" in prompt:
            yield name, telephone.tone(prompt["tone_hz"], prompt["tone_s"], TONE_PEAK_DB)
        elif name in texts and not is_word(name, language):
            yield name, sentence(kokoro, texts[name])


def sentence(kokoro: TimedKokoro, text: str) -> telephone.Samples:
    """A text by the voice of the language that it is written in: “For English, press nine” is English to everybody."""
    language = "en" if text.isascii() else "zh-CN"
    voice = VOICES[language]
    speech = kokoro.speak(phonemes(text, language), voice.name, voice.speed)
    line = telephone.to_telephone(speech.astype(np.float64), telephone.KOKORO_RATE)
    return telephone.at_level(telephone.trim(line), SPEECH_RMS_DB)


if __name__ == "__main__":
    main()
