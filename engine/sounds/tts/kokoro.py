"""Kokoro-82M, on this machine's CPU: the voice of the shipped prompts. Needs the extra `hotline[tts]`.

tts:
  zh-CN: {engine: kokoro, voice: zm_yunxi, speed: 0.88}
"""

from __future__ import annotations

import asyncio
import io
import re
import subprocess
import wave
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field, StringConstraints

from engine.sounds.models_kept import folder
from engine.sounds.tts.voice import CannotSpeak, Spoken

if TYPE_CHECKING:
    from engine.sounds.tts.kokoro_net import Kokoro as Net

INSTALL = "Kokoro is not installed here; `pip install 'hotline[tts]'` adds it, or choose another engine (--engine)"
OTHERWISE = "write it otherwise, in words, or choose another engine"
# The model takes 510 phonemes at once; a sentence has a fraction of that.
MOST_PHONEMES = 500
# Its front ends skip English digits, read a Chinese telephone number as millions, and Latin letters as phonemes.
_MISREAD = {"zh-CN": re.compile(r"[A-Za-z0-9]+"), "en": re.compile(r"[^\x00-\u024f\u2010-\u2026]+|\d+")}


class _Manner(NamedTuple):
    voice: str
    speed: float


# Measured to be understood best on the telephone: docs/prompts.md has the comparison.
SHIPPED = {"zh-CN": _Manner("zm_yunxi", 0.88), "en": _Manner("af_heart", 0.95)}


class Kokoro(Spoken):
    """A neural voice; it takes about as long as the prompt lasts."""

    engine: Literal["kokoro"] = "kokoro"
    voice: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}_[a-z]+$")] | None = None
    speed: float | None = Field(default=None, ge=0.5, le=2.0)

    async def speak(self, text: str, language: str) -> bytes:
        """A WAV at 24 kHz. Raises CannotSpeak when it is not installed or `text` has a word that it cannot read."""
        return await asyncio.to_thread(self._wav, text, language)

    def said_by(self, language: str) -> str:
        """Voice and speed."""
        voice, speed = self._manner(language)
        return f"kokoro {voice} {speed:g}"

    def _manner(self, language: str) -> _Manner:
        voice, speed = SHIPPED[language]
        return _Manner(self.voice or voice, self.speed or speed)

    def _wav(self, text: str, language: str) -> bytes:
        if misread := _MISREAD[language].search(text):
            raise CannotSpeak(f"Kokoro would misread `{misread[0]}`; {OTHERWISE}")
        try:
            from engine.sounds.tts.kokoro_net import SAMPLE_RATE
            from engine.sounds.tts.phonemes import phonemes

            net, spoken = _net(), [phonemes(sentence, language) for sentence in _sentences(text)]
        except ImportError as error:
            raise CannotSpeak(INSTALL) from error
        except KeyError as error:
            raise CannotSpeak(f"Kokoro cannot read `{error.args[0]}`; {OTHERWISE}") from error
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            raise CannotSpeak(f"Kokoro's voices, which npm fetches once, cannot be had: {error}") from error
        if too_long := next((sounds for sounds in spoken if len(sounds) > MOST_PHONEMES), None):
            raise CannotSpeak(
                f"a sentence of {len(too_long)} sounds is too long for Kokoro; end it earlier with a 。 or ."
            )
        voice, speed = self._manner(language)
        try:
            return _as_wav([net.speak(sounds, voice, speed) for sounds in spoken], SAMPLE_RATE)
        except ValueError as error:
            raise CannotSpeak(f"{error}; {OTHERWISE}") from error


@cache
def _net() -> Net:
    from engine.sounds.tts.kokoro_net import Kokoro as Net

    return Net(folder())


def _sentences(text: str) -> list[str]:
    """Each with its punctuation, which is its melody."""
    return [sentence for part in re.findall(r"[^。！？.!?]+[。！？.!?]*", text) if (sentence := part.strip())]


def _as_wav(sentences: list[Any], rate: int) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        for samples in sentences:
            file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return written.getvalue()
