"""Every prompt a call can be given: the shipped ones, and over them the site's own."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeAlias, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from engine.sounds.recordings import Recording, UnusableSounds, scan

Language: TypeAlias = Literal["zh-CN", "en"]
LANGUAGES: tuple[str, ...] = get_args(Language)

_SHIPPED = Path(__file__).resolve().parent
_Words: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Silence(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    silence_s: Annotated[float, Field(gt=0)]


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    prompts: dict[str, _Silence | dict[Language, _Words]]

    def words(self) -> dict[tuple[str, str], str]:
        """By language and prompt name."""
        return {
            (language, name): text
            for name, prompt in self.prompts.items()
            if isinstance(prompt, dict)
            for language, text in prompt.items()
        }


class UnknownPrompt(LookupError):  # noqa: N818 - said to the admin who wrote the name
    """No recording of a prompt in a language; `nearest` are the names there are that look like it."""

    def __init__(self, name: str, language: str, nearest: list[str], looked: list[Path]) -> None:
        self.name, self.language, self.nearest, self.looked = name, language, nearest, looked
        hint = f"; nearest: {', '.join(f'`{near}`' for near in nearest)}" if nearest else ""
        super().__init__(f"no prompt `{name}` in {language}{hint} (looked in {', '.join(map(str, looked))})")


class Sounds:
    """The prompts of one site, as they were when it was loaded. Reads nothing after construction."""

    def __init__(self, site: Path | None = None) -> None:
        """Scans `site`/sounds/ over the shipped prompts. Raises UnusableSounds, with every fault found."""
        self._folders = [*([site / "sounds"] if site else []), _SHIPPED]
        recordings, words = _shipped()
        self._recordings: dict[tuple[str, str], Recording] = dict(recordings)
        self._words: dict[tuple[str, str], str] = dict(words)
        if site:
            self._lay_over(site / "sounds")

    def find(self, name: str, language: str) -> str:
        """Absolute path without extension, for a `sound:` URI. Raises UnknownPrompt."""
        return self._recording(name, language).stem

    def duration_s(self, name: str, language: str) -> float:
        """Seconds it takes to hear. Raises UnknownPrompt."""
        return self._recording(name, language).duration_s

    def text(self, name: str, language: str) -> str:
        """Its words; "" for silence or a site's recording not in its prompts.yaml. Raises UnknownPrompt."""
        self._recording(name, language)
        return self._words.get((language, name), "")

    def number(self, n: int, language: str) -> list[str]:
        """The prompts that speak queue position `n` ≥ 1: its own sentence where there is one recorded."""
        if n < 1:
            raise ValueError(f"positions in a queue start at 1, not {n}")
        exact = f"position-{n}"
        return [exact if (language, exact) in self._recordings else "position-more-than-10"]

    def names(self, language: str) -> list[str]:
        """Every prompt there is in a language, sorted."""
        return sorted(name for spoken, name in self._recordings if spoken == language)

    def _recording(self, name: str, language: str) -> Recording:
        try:
            return self._recordings[language, name]
        except KeyError:
            nearest = difflib.get_close_matches(name, self.names(language))
            looked = [folder / language for folder in self._folders]
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
        page = folder / "prompts.yaml"
        if page.is_file():
            try:
                words = _read(page).words()
            except UnusableSounds as error:
                faults += error.faults
        faults += [
            f"{page}: words for `{name}` in {language}, but no recording of it in {folder / language}"
            for language, name in words
            if (language, name) not in own
        ]
        if faults:
            raise UnusableSounds(faults)
        self._recordings |= own
        # What a site recorded under a shipped name may say something else: our words would be a guess.
        self._words = {key: text for key, text in self._words.items() if key not in own} | words


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
