"""Listen to every recording with Whisper and write what was heard into docs/prompts.md.

    python tools/prompts/verify.py           exit code 1 when a prompt is not understood

Mandarin is judged by syllables without tone (a homophone is the recogniser's choice of character, not a
fault of the voice), English by words. The words of numbers and dates are heard as callers hear them: joined to
values (engine/speech/rehearsal.py).
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import telephone
from build import CACHE, SOUNDS, VOICES, manifest
from choose import TIMES, listen

from engine.sounds.hearing import Whisper, score
from engine.sounds.understanding import units
from engine.speech import vocabulary
from engine.speech.rehearsal import rehearsal

PAGE = SOUNDS.parents[1] / "docs" / "prompts.md"
UNDERSTOOD = 0.2
# A word has one to four syllables and is heard a few times: one mistake is chance, half of them are a fault.
WORD_UNDERSTOOD = 0.5
UNIT = {"zh-CN": "syllables", "en": "words"}


@dataclass(frozen=True, slots=True)
class Hearing:
    prompt: str
    language: str
    said: str
    heard: str
    errors: int
    length: int


@dataclass(slots=True)
class Word:
    """What became of a word in the values that it was heard in."""

    text: str
    length: int = 0
    errors: int = 0
    heard: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the model is kept (default: %(default)s)")
    arguments = parser.parse_args()
    whisper = Whisper(arguments.cache)
    lines, misheard = ["<!-- measured: written by tools/prompts/verify.py -->"], []
    for language in VOICES:
        sentences = listened(whisper, language)
        words = rehearsed(whisper, language)
        lines += sentence_table(sentences, language) + word_table(words, language)
        misheard += [f"{h.language} {h.prompt}" for h in sentences if h.errors > UNDERSTOOD * h.length]
        misheard += [
            f"{language} {name}" for name, word in words.items() if word.errors > WORD_UNDERSTOOD * word.length
        ]
    page = PAGE.read_text(encoding="utf-8")
    measured = "\n".join([*lines, "", "<!-- end -->"])
    page = re.sub(r"<!-- measured.*?<!-- end -->", lambda _: measured, page, count=1, flags=re.DOTALL)
    PAGE.write_text(page, encoding="utf-8")
    for name in misheard:
        print(f"not understood: {name}", file=sys.stderr)
    return 1 if misheard else 0


def listened(whisper: Whisper, language: str) -> list[Hearing]:
    """Every prompt that stands by itself."""
    hearings = []
    for name, prompt in manifest().items():
        if language not in prompt or name in vocabulary(language):
            continue
        text = prompt[language]
        spoken = "en" if text.isascii() else language
        heard = whisper.hear(telephone.read_alaw(SOUNDS / language / f"{name}.alaw"), spoken)
        hearings.append(Hearing(name, language, text, heard, *score(text, heard, spoken)))
        print(f"{language:6} {name:24} {hearings[-1].errors}/{hearings[-1].length}  {heard}", flush=True)
    return hearings


def rehearsed(whisper: Whisper, language: str) -> dict[str, Word]:
    """Every word, in the values of a rehearsal."""
    texts = {name: prompt[language] for name, prompt in manifest().items() if language in prompt}
    words = {name: Word(text) for name, text in texts.items() if name in vocabulary(language)}
    for value in rehearsal(language, TIMES):
        recorded = {word: telephone.read_alaw(SOUNDS / language / f"{word}.alaw") for word in value}
        wrong, heard = listen(whisper, value, recorded, texts, language)
        for name, errors in zip(value, wrong, strict=True):
            if name in words:
                words[name].length += len(units(texts[name], language))
                words[name].errors += errors
                words[name].heard = words[name].heard or (heard if errors else "")
        if any(wrong):
            print(f"{language:6} {' '.join(texts.get(word, ',') for word in value)}  {heard}", flush=True)
    return words


def sentence_table(hearings: list[Hearing], language: str) -> list[str]:
    misheard = _share(sum(h.errors for h in hearings), sum(h.length for h in hearings), language)
    return [
        "",
        f"**{language}**, {len(hearings)} sentences: {misheard}.",
        "",
        "| prompt | text | heard | errors |",
        "| --- | --- | --- | --- |",
        *(f"| {h.prompt} | {h.said} | {h.heard} | {h.errors}/{h.length} |" for h in hearings),
    ]


def word_table(words: dict[str, Word], language: str) -> list[str]:
    misheard = _share(sum(w.errors for w in words.values()), sum(w.length for w in words.values()), language)
    lines = [
        "",
        f"**{language}**, {len(words)} words, joined to values: {misheard}. Those with a mistake:",
        "",
        "| prompt | word | errors | first mistake in |",
        "| --- | --- | --- | --- |",
    ]
    for name, word in words.items():
        if word.errors:
            lines.append(f"| {name} | {word.text} | {word.errors}/{word.length} | {word.heard} |")
    return lines


def _share(errors: int, length: int, language: str) -> str:
    return f"{errors} of {length} {UNIT[language]} misheard ({100 * errors / length:.1f} %)"


if __name__ == "__main__":
    sys.exit(main())
