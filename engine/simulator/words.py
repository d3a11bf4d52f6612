"""Prompts as words: a flow can be tried before anybody has recorded what it says."""

from __future__ import annotations

from engine.sounds import Sounds, UnknownPrompt
from engine.sounds.prompt import UnrecordedPrompt

# Speech, roughly: five Chinese syllables or fifteen Latin letters a second.
LETTERS_A_SECOND = {"zh-CN": 5.0, "en": 15.0}


class Words(Sounds):
    """A site's prompts, of which those that are not recorded yet are said all the same."""

    def __init__(self, of: Sounds) -> None:
        vars(self).update(vars(of))

    def find(self, name: str, language: str) -> str:
        """A name in the place of a file that is not there yet. Raises UnknownPrompt where there are no words either."""
        try:
            return super().find(name, language)
        except UnrecordedPrompt:
            return name

    def duration_s(self, name: str, language: str) -> float:
        """As long as the recording, or about as long as its words would be."""
        try:
            return super().duration_s(name, language)
        except UnknownPrompt:
            return max(1.0, len(self.text(name, language)) / LETTERS_A_SECOND[language])

    def text(self, name: str, language: str) -> str:
        """The words, recorded or not; the name where nobody has written any."""
        return self.prompt(name, language).text or ("" if self._is_silent(name, language) else f"[{name}]")

    def _is_silent(self, name: str, language: str) -> bool:
        """A pause or a tone, or a recording of the site's own of which nobody has written the words."""
        try:
            super().find(name, language)
        except UnknownPrompt:
            return False
        return True
