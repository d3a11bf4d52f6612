"""Which of a site's recordings an engine spoke, and from what words: sounds/built.json.

A file that is not as it was written has become somebody's recording, and is never written over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from engine.sounds.recordings import Recording, UnusableSounds

PAGE = "built.json"


class Built(BaseModel):
    """One prompt in one language."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    voice: str
    """Engine, voice and pace."""
    said: str
    """The digest of its words and its voice."""
    files: Mapping[str, str]
    """By codec, the digest of what was written."""

    def touched(self, recording: Recording) -> list[Path]:
        """The files of `recording` that are not as they were written, or were not written here."""
        return [file for file in recording.files if self.files.get(file.suffix[1:]) != digest(file.read_bytes())]


class _Page(RootModel[dict[str, dict[str, Built]]]):
    """By language, by prompt."""


Marks = dict[tuple[str, str], Built]


def digest(content: bytes) -> str:
    """Short, and enough to tell a change: nobody attacks their own prompts."""
    return hashlib.sha256(content).hexdigest()[:16]


def said(text: str, voice: str) -> str:
    """The digest that changes with the words and with the voice."""
    return digest(f"{voice}\n{text}".encode())


def read(sounds: Path) -> Marks:
    """By language and prompt, of a site's sounds folder. Raises UnusableSounds."""
    page = sounds / PAGE
    if not page.is_file():
        return {}
    try:
        languages = _Page.model_validate_json(page.read_bytes()).root
    except ValidationError as error:
        remedy = "take the last good one, or remove it: what was built counts as recorded then"
        raise UnusableSounds([f"{page}: was changed by hand and cannot be read; {remedy}"]) from error
    return {(language, name): mark for language, marks in languages.items() for name, mark in marks.items()}


def write(sounds: Path, marks: Marks) -> None:
    """Atomic; sorted, so that version control shows what changed."""
    languages: dict[str, dict[str, Built]] = {}
    for (language, name), mark in sorted(marks.items()):
        languages.setdefault(language, {})[name] = mark
    fresh = sounds / f".{PAGE}.new"
    fresh.write_text(_Page(languages).model_dump_json(indent=2) + "\n", encoding="utf-8")
    fresh.rename(sounds / PAGE)
