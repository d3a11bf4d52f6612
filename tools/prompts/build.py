"""Make every recording of engine/sounds: the manifest's words spoken by Kokoro, in a trunk's rate and codecs.

python tools/prompts/build.py            all prompts and the hold music
python tools/prompts/build.py welcome    only the prompts named
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hold_music
import numpy as np
import telephone
import yaml

from engine.sounds.tts.kokoro_net import SAMPLE_RATE, Kokoro
from engine.sounds.tts.phonemes import phonemes

SOUNDS = Path(__file__).resolve().parents[2] / "engine" / "sounds"
CACHE = Path(tempfile.gettempdir()) / "hotline-prompts"
SPEECH_RMS_DB = -19.0


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
    manifest = yaml.safe_load((SOUNDS / "manifest.yaml").read_text(encoding="utf-8"))
    if unknown := set(arguments.prompts) - manifest["prompts"].keys():
        parser.error(f"not in the manifest: {', '.join(sorted(unknown))}")
    kokoro = Kokoro(arguments.cache)
    for name in arguments.prompts or manifest["prompts"]:
        for language in VOICES:
            samples = recording(kokoro, manifest["prompts"][name], language)
            telephone.write(samples, SOUNDS / language / name)
            print(f"{language:6} {name:24} {len(samples) / telephone.SAMPLE_RATE:5.2f} s", flush=True)
    if not arguments.prompts:
        telephone.write(hold_music.compose(), SOUNDS / "moh" / "hold")


def recording(kokoro: Kokoro, prompt: dict[str, Any], language: str) -> telephone.Samples:
    if "silence_s" in prompt:
        return np.zeros(int(prompt["silence_s"] * telephone.SAMPLE_RATE))
    voice = VOICES[language]
    speech = kokoro.speak(phonemes(prompt[language], language), voice.name, voice.speed)
    line = telephone.to_telephone(speech.astype(np.float64), SAMPLE_RATE)
    return telephone.at_level(telephone.trim(line), SPEECH_RMS_DB)


if __name__ == "__main__":
    main()
