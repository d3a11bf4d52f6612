"""Listen to every recording with Whisper and write what was heard into docs/prompts.md.

    python tools/prompts/verify.py           exit code 1 when a prompt is not understood

Mandarin is judged by syllables without tone (a homophone is the recogniser's choice of character, not a
fault of the voice), English by words.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import telephone
import yaml
from build import CACHE, SOUNDS, VOICES

from engine.sounds.hearing import Whisper, score

PAGE = SOUNDS.parents[1] / "docs" / "prompts.md"
UNDERSTOOD = 0.2


@dataclass(frozen=True, slots=True)
class Hearing:
    prompt: str
    language: str
    said: str
    heard: str
    errors: int
    length: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the model is kept (default: %(default)s)")
    arguments = parser.parse_args()
    manifest = yaml.safe_load((SOUNDS / "manifest.yaml").read_text(encoding="utf-8"))
    whisper = Whisper(arguments.cache)
    hearings = []
    for language in VOICES:
        for name, prompt in manifest["prompts"].items():
            if "silence_s" in prompt:
                continue
            heard = whisper.hear(telephone.read_alaw(SOUNDS / language / f"{name}.alaw"), language)
            hearings.append(Hearing(name, language, prompt[language], heard, *score(prompt[language], heard, language)))
            print(f"{language:6} {name:24} {hearings[-1].errors}/{hearings[-1].length}  {heard}", flush=True)
    _write_table(hearings)
    misheard = [hearing for hearing in hearings if hearing.errors > UNDERSTOOD * hearing.length]
    for hearing in misheard:
        print(f"not understood: {hearing.language} {hearing.prompt}", file=sys.stderr)
    return 1 if misheard else 0


def _write_table(hearings: list[Hearing]) -> None:
    lines = ["<!-- measured: written by tools/prompts/verify.py -->"]
    for language in dict.fromkeys(hearing.language for hearing in hearings):
        ours = [hearing for hearing in hearings if hearing.language == language]
        errors, length = sum(h.errors for h in ours), sum(h.length for h in ours)
        unit = "syllables" if language == "zh-CN" else "words"
        lines += [
            "",
            f"**{language}**: {errors} of {length} {unit} misheard ({100 * errors / length:.1f} %).",
            "",
        ]
        lines += ["| prompt | text | heard | errors |", "| --- | --- | --- | --- |"]
        lines += [f"| {h.prompt} | {h.said} | {h.heard} | {h.errors}/{h.length} |" for h in ours]
    lines += ["", "<!-- end -->"]
    page = PAGE.read_text(encoding="utf-8")
    page = re.sub(r"<!-- measured.*?<!-- end -->", lambda _: "\n".join(lines), page, count=1, flags=re.DOTALL)
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
