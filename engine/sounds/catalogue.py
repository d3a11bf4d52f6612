"""Every prompt a call can be given: the shipped ones, and over them the site's own."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from engine.sounds import built
from engine.sounds.prompt import Prompt, Source, UnknownPrompt, UnrecordedPrompt
from engine.sounds.recordings import Recording, UnusableSounds, scan

Language: TypeAlias = Literal["zh-CN", "en"]
LANGUAGES: tuple[str, ...] = get_args(Language)

_SHIPPED = Path(__file__).resolve().parent
_Words: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Silence(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    silence_s: Annotated[float, Field(gt=0)]


class _Tone(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    tone_hz: Annotated[float, Field(gt=0, lt=4000)]
    tone_s: Annotated[float, Field(gt=0)]


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    prompts: dict[str, _Silence | _Tone | dict[Language, _Words]]

    def words(self) -> dict[tuple[str, str], str]:
        """By language and prompt name."""
        return {
            (language, name): text
            for name, prompt in self.prompts.items()
            if isinstance(prompt, dict)
            for language, text in prompt.items()
        }


class Sounds:
    """The prompts of one site, as they were when it was loaded. Reads nothing after construction."""

    def __init__(self, site: Path | None = None) -> None:
        """Scans `site`/sounds/ over the shipped prompts. Raises UnusableSounds, with every fault found."""
        self._folders = [*([site / "sounds"] if site else []), _SHIPPED]
        recordings, words = _shipped()
        self._recordings: dict[tuple[str, str], Recording] = dict(recordings)
        self._words: dict[tuple[str, str], str] = dict(words)
        self._sources = dict.fromkeys(recordings, Source.SHIPPED)
        self._built: built.Marks = {}
        if site:
            self._lay_over(site / "sounds")

    def find(self, name: str, language: str) -> str:
        """Absolute path without extension, for a `sound:` URI. Raises UnknownPrompt."""
        return self._recording(name, language).stem

    def duration_s(self, name: str, language: str) -> float:
        """Seconds it takes to hear. Raises UnknownPrompt."""
        return self._recording(name, language).duration_s

    def text(self, name: str, language: str) -> str:
        """The words heard; "" for silence, for a site's recording that is not in its prompts.yaml, and for what was
        built from other words than stand there now. Raises UnknownPrompt."""
        self._recording(name, language)
        outdated = self._sources[language, name] is Source.OUTDATED
        return "" if outdated else self._words.get((language, name), "")

    def number(self, n: int, language: str) -> list[str]:
        """The prompts that speak queue position `n` ≥ 1: its own sentence where there is one recorded."""
        if n < 1:
            raise ValueError(f"positions in a queue start at 1, not {n}")
        exact = f"position-{n}"
        return [exact if (language, exact) in self._recordings else "position-more-than-10"]

    def positions(self, language: str) -> list[str]:
        """Every prompt that `number` may give."""
        return [prompt.name for prompt in self.prompts(language) if prompt.name.startswith("position-")]

    def names(self, language: str) -> list[str]:
        """Every prompt there is in a language, sorted."""
        return sorted(name for spoken, name in self._recordings if spoken == language)

    def prompt(self, name: str, language: str) -> Prompt:
        """What is known of a prompt, also of one that is missing."""
        key = language, name
        recording, mark = self._recordings.get(key), self._built.get(key)
        return Prompt(
            name,
            language,
            self._words.get(key, ""),
            self._sources.get(key, Source.MISSING),
            recording.duration_s if recording else None,
            frozenset(file.suffix[1:] for file in recording.files) if recording else frozenset(),
            mark.voice if mark else "",
        )

    def prompts(self, language: str) -> list[Prompt]:
        """Every prompt of which there is a recording or words in a language, sorted by name."""
        names = {name for spoken, name in (*self._recordings, *self._words) if spoken == language}
        return [self.prompt(name, language) for name in sorted(names)]

    def _recording(self, name: str, language: str) -> Recording:
        try:
            return self._recordings[language, name]
        except KeyError:
            looked = [folder / language for folder in self._folders]
            if (language, name) in self._words:
                raise UnrecordedPrompt(name, language, [], looked) from None
            nearest = difflib.get_close_matches(name, self.names(language))
            raise UnknownPrompt(name, language, nearest, looked) from None

    def _lay_over(self, folder: Path) -> None:
        own, faults = _scanned(folder)
        if folder.is_dir():
            faults += [
                f"{path}: no such language; {' and '.join(LANGUAGES)} are spoken here"
                for path in sorted(folder.iterdir())
                if path.is_dir() and path.name not in LANGUAGES
            ]
        words: dict[tuple[str, str], str] = {}
        marks: built.Marks = {}
        try:
            words = _read(folder / "prompts.yaml").words() if (folder / "prompts.yaml").is_file() else {}
            marks = built.read(folder)
        except UnusableSounds as error:
            faults += error.faults
        self._built = {key: mark for key, mark in marks.items() if key in own and not mark.touched(own[key])}
        faults += _beside_recordings(own, {key: mark for key, mark in marks.items() if key not in self._built})
        if faults:
            raise UnusableSounds(faults)
        # What a site recorded under a shipped name may say something else: our words would be a guess. And what it
        # has words of its own for, our recording does not say.
        shipped = {key: recording for key, recording in self._recordings.items() if key not in words}
        self._recordings = shipped | own
        self._words = {key: text for key, text in self._words.items() if key not in own} | words
        self._sources = dict.fromkeys(shipped, Source.SHIPPED) | {key: self._own(key) for key in own}

    def _own(self, key: tuple[str, str]) -> Source:
        mark = self._built.get(key)
        if mark is None:
            return Source.RECORDED
        return Source.BUILT if mark.said == built.said(self._words.get(key, ""), mark.voice) else Source.OUTDATED


def _beside_recordings(own: Mapping[tuple[str, str], Recording], marks: built.Marks) -> list[str]:
    """Asterisk takes the codec that costs the least, be it the machine's voice or the speaker who was paid for."""
    return [
        f"{file}: was built by an engine, and beside it is a recording of the same name; remove this one"
        for key, mark in marks.items()
        if key in own
        for file in own[key].files
        if file not in mark.touched(own[key])
    ]


@cache
def _shipped() -> tuple[Mapping[tuple[str, str], Recording], Mapping[tuple[str, str], str]]:
    words = _read(_SHIPPED / "manifest.yaml").words()
    recordings, faults = _scanned(_SHIPPED)
    if faults:
        raise UnusableSounds(faults)
    return recordings, words


def _scanned(folder: Path) -> tuple[dict[tuple[str, str], Recording], list[str]]:
    recordings: dict[tuple[str, str], Recording] = {}
    faults: list[str] = []
    for language in LANGUAGES:
        try:
            found = scan(folder / language)
        except UnusableSounds as error:
            faults += error.faults
        else:
            recordings |= {(language, name): recording for name, recording in found.items()}
    return recordings, faults


def _read(page: Path) -> _Manifest:
    try:
        return _Manifest.model_validate(yaml.safe_load(page.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnusableSounds([f"{page}: is not YAML: {error}"]) from error
    except ValidationError as error:
        faults = [f"{page}: {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise UnusableSounds(faults) from error
