"""How well prompts are understood: a recogniser listens to them at 8 kHz, and its mistakes are counted."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.sounds.audio import LONGEST_S
from engine.sounds.catalogue import Sounds
from engine.sounds.ffmpeg import Samples, decode, filtered, samples_of
from engine.sounds.prompt import Prompt
from engine.sounds.understanding import errors, score, units
from engine.speech import vocabulary
from engine.speech.rehearsal import rehearsal

LINE_RATE = 8000
# Which of several files: the one that most callers hear.
_CODECS = ("alaw", "ulaw", "sln", "wav", "g722")
# One syllable of five is a slip; half of a short word is, and of a word that is heard a few times among others.
_SLIP, _HALF, _SENTENCE = 0.2, 0.5, 5
_TIMES = 2
# A recogniser makes up words for speech that begins or ends with the file.
_AROUND_S = 0.3


class Ear(Protocol):
    """Something that writes down what it hears."""

    def hear(self, samples: Samples, language: str) -> str:
        """What is said in `samples`, LINE_RATE of them a second."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one prompt."""

    prompt: str
    language: str
    words: str
    heard: str
    errors: int
    """At most `length`: a recogniser that has lost the thread repeats itself without end."""
    length: int
    """In syllables of Mandarin or words of English."""
    in_values: bool = False
    """Heard joined to values, `length` in all of them."""

    @property
    def understood(self) -> bool:
        """Whether a caller would get it."""
        return self.errors <= (_HALF if self.in_values or self.length < _SENTENCE else _SLIP) * self.length


def verify(sounds: Sounds, prompts: Sequence[Prompt], ear: Ear) -> Iterator[Heard]:
    """Listens to the recordings of `prompts` that have words. Those that values are said with (engine/speech) are
    heard as callers hear them: joined to values. Raises UnusableAudio."""
    spoken = [prompt for prompt in prompts if prompt.text and prompt.codecs]
    for language in dict.fromkeys(prompt.language for prompt in spoken):
        ours = [prompt for prompt in spoken if prompt.language == language]
        in_values = vocabulary(language)
        for prompt in ours:
            if prompt.name not in in_values:
                yield _sentence(sounds, prompt, ear)
        words = [prompt for prompt in ours if prompt.name in in_values]
        if words:
            yield from _words(sounds, words, language, ear)


def _sentence(sounds: Sounds, prompt: Prompt, ear: Ear) -> Heard:
    # The English half of `For English, press nine` is spoken in every language.
    language = "en" if prompt.text.isascii() else prompt.language
    heard = ear.hear(_on_the_line(sounds, prompt), language)
    wrong, length = score(prompt.text, heard, language)
    return Heard(prompt.name, prompt.language, prompt.text, heard, min(wrong, length), length)


def _words(sounds: Sounds, words: Sequence[Prompt], language: str, ear: Ear) -> Iterator[Heard]:
    wanted = {prompt.name for prompt in words}
    wrong, length, examples = dict.fromkeys(wanted, 0), dict.fromkeys(wanted, 0), dict.fromkeys(wanted, "")
    for value in _values(sounds, language, wanted):
        spoken = [units(prompt.text, language) for prompt in value]
        audio = array("f", [0.0]) * int(_AROUND_S * LINE_RATE)
        for prompt in value:
            audio += _on_the_line(sounds, prompt)
        heard = ear.hear(audio + array("f", [0.0]) * int(_AROUND_S * LINE_RATE), language)
        at = iter(errors([unit for word in spoken for unit in word], heard, language))
        for prompt, word in zip(value, spoken, strict=True):
            mistakes = min(sum(next(at) for _ in word), len(word))
            if prompt.name in wanted:
                wrong[prompt.name] += mistakes
                length[prompt.name] += len(word)
                examples[prompt.name] = (mistakes and heard) or examples[prompt.name] or heard
    for prompt in words:
        name = prompt.name
        yield Heard(name, language, prompt.text, examples[name], wrong[name], length[name], in_values=True)


def _values(sounds: Sounds, language: str, wanted: Set[str]) -> Iterator[list[Prompt]]:
    """The values of the rehearsal that have a wanted word in them, and of whose words none is missing."""
    for value in rehearsal(language, _TIMES):
        prompts = [sounds.prompt(word, language) for word in value]
        if not wanted.isdisjoint(value) and all(prompt.codecs for prompt in prompts):
            yield prompts


def _on_the_line(sounds: Sounds, prompt: Prompt) -> Samples:
    codec = min(prompt.codecs, key=_CODECS.index)
    file = Path(f"{sounds.find(prompt.name, prompt.language)}.{codec}")
    samples: Samples = array("f")
    for frame in filtered(decode(file, LONGEST_S).samples, ("aresample", f"{LINE_RATE}:osf=flt")):
        samples.extend(samples_of(frame))
    return samples
