"""espeak-ng, an ordinary Debian package: fast, small, and a robot's voice.

tts:
  en: {engine: espeak-ng, voice: en-us, words_a_minute: 150}
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from engine.config.units import Seconds
from engine.sounds.tts.command import spoken_by
from engine.sounds.tts.voice import Spoken

_VOICES = {"zh-CN": "cmn", "en": "en-us"}


class Espeak(Spoken):
    """Formant synthesis: good for trying a flow, and for English in need."""

    engine: Literal["espeak-ng"] = "espeak-ng"
    voice: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/_-]+$")] | None = None
    words_a_minute: int = Field(default=150, ge=80, le=450)
    deadline: Seconds = 20.0

    async def speak(self, text: str, language: str) -> bytes:
        """A WAV. Raises CannotSpeak when espeak-ng is not installed."""
        command = ["espeak-ng", "-v", self._voice(language), "-s", str(self.words_a_minute), "--stdin", "--stdout"]
        return await spoken_by(command, text, self.deadline)

    def said_by(self, language: str) -> str:
        """Voice and pace."""
        return f"espeak-ng {self._voice(language)} {self.words_a_minute}"

    def warning(self, language: str) -> str | None:
        """Its Mandarin is not fit for callers."""
        if language != "zh-CN":
            return None
        return "callers will hardly understand espeak-ng's Mandarin (a recogniser misheard every syllable at 8 kHz)"

    def _voice(self, language: str) -> str:
        return self.voice or _VOICES[language]
