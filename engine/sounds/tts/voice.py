"""What every engine is."""

from __future__ import annotations

from abc import abstractmethod

from engine.config.units import Written

# Three minutes of what the most wasteful engine gives: 48 kHz, stereo, 16 bit.
MOST_BYTES = 180 * 48_000 * 4


class CannotSpeak(Exception):  # noqa: N818 - said to the admin who asked for a prompt
    """An engine gave no sound; says why and what to do."""


class Spoken(Written):
    """One voice. Two of them that are equal by `said_by` say the same text alike."""

    @abstractmethod
    async def speak(self, text: str, language: str) -> bytes:
        """The content of an audio file, of any format. Raises CannotSpeak."""

    @abstractmethod
    def said_by(self, language: str) -> str:
        """Engine, voice and whatever else changes the sound, in a few words."""

    def warning(self, language: str) -> str | None:
        """What an admin must know before callers hear this voice in a language."""
        return None
