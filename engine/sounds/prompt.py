"""A prompt in one language: what is known of it, and what is said when there is none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Source(StrEnum):
    """Where a prompt's sound comes from."""

    RECORDED = "recorded"
    """The site's own recording."""
    BUILT = "built"
    """Spoken by an engine for this site."""
    OUTDATED = "outdated"
    """Built, from other words than stand in the site's prompts.yaml now."""
    SHIPPED = "shipped"
    MISSING = "missing"
    """From nowhere: there are only words, or not even those."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is known of a prompt in one language."""

    name: str
    language: str
    text: str
    source: Source
    duration_s: float | None
    codecs: frozenset[str] = frozenset()
    """Those of the files."""
    voice: str = ""
    """Who spoke what was built."""

    @property
    def wanting(self) -> bool:
        """Callers would not hear these words: something is to be recorded or built."""
        return self.source in (Source.MISSING, Source.OUTDATED)


class UnknownPrompt(LookupError):  # noqa: N818 - said to the admin who wrote the name
    """No recording of a prompt in a language; `nearest` are the names there are that look like it."""

    def __init__(self, name: str, language: str, nearest: list[str], looked: list[Path]) -> None:
        self.name, self.language, self.nearest, self.looked = name, language, nearest, looked
        super().__init__(self._message())

    def _message(self) -> str:
        hint = f"; nearest: {', '.join(f'`{near}`' for near in self.nearest)}" if self.nearest else ""
        return f"no prompt `{self.name}` in {self.language}{hint} (looked in {', '.join(map(str, self.looked))})"


class UnrecordedPrompt(UnknownPrompt):
    """A prompt of which there are only words."""

    def _message(self) -> str:
        remedy = f"`hotline prompts build {self.name}` has them spoken, `hotline prompts import` takes a recording"
        return f"`{self.name}` has words in {self.language} and no recording of them; {remedy}"
