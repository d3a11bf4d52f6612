"""Any HTTP endpoint that answers a POST of JSON with an audio file.

tts:
  zh-CN:
    engine: http
    url: http://127.0.0.1:5002/speak
    body: {input: "{text}", voice: xiaoyi, response_format: wav}
    secret_file: /etc/hotline/tts.secret # sent as `Authorization: Bearer`
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import aiohttp
import orjson
from pydantic import Field, StringConstraints

from engine.config.units import Seconds
from engine.sounds.tts.voice import MOST_BYTES, CannotSpeak, Spoken


class Http(Spoken):
    """An endpoint of the admin's choice."""

    engine: Literal["http"] = "http"
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+")]
    body: dict[str, Any] = Field(default_factory=lambda: {"text": "{text}", "language": "{language}"})
    secret_file: Path | None = None
    deadline: Seconds = 60.0

    async def speak(self, text: str, language: str) -> bytes:
        """The answer's body. Raises CannotSpeak for every other answer, and none within the deadline."""
        body = orjson.dumps(_filled(self.body, {"{text}": text, "{language}": language}))
        headers = {"Content-Type": "application/json"} | self._authorization()
        timeout = aiohttp.ClientTimeout(total=self.deadline)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                # A secret goes where the admin sends it and nowhere else.
                session.post(self.url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    said = (await answer.content.read(300)).decode(errors="replace").strip()
                    raise CannotSpeak(f"{self._where} answered {answer.status}: {said!r}")
                sound = bytearray()
                async for chunk in answer.content.iter_chunked(1 << 16):
                    sound += chunk
                    if len(sound) > MOST_BYTES:
                        raise CannotSpeak(f"{self._where} sent more than {MOST_BYTES >> 20} MB for one prompt")
        except TimeoutError:
            raise CannotSpeak(f"{self._where} did not answer within {self.deadline:g} s; raise `deadline`") from None
        except aiohttp.ClientError as error:
            raise CannotSpeak(f"{self._where} cannot be asked: {error}") from error
        return bytes(sound)

    def said_by(self, language: str) -> str:
        """The address, and a digest of all that is sent."""
        return f"{self._where} {hashlib.sha256(orjson.dumps([self.url, self.body])).hexdigest()[:8]}"

    @property
    def _where(self) -> str:
        """The address without what may be a secret in it: this is printed, and kept in built.json."""
        url = urlsplit(self.url)
        return url._replace(netloc=url.netloc.rpartition("@")[2], query="").geturl()

    def _authorization(self) -> dict[str, str]:
        if self.secret_file is None:
            return {}
        try:
            return {"Authorization": f"Bearer {self.secret_file.read_text(encoding='utf-8').strip()}"}
        except OSError as error:
            raise CannotSpeak(f"the secret of {self._where} cannot be read: {error}") from error


def _filled(value: Any, words: dict[str, str]) -> Any:
    """`value` with each placeholder replaced, wherever it stands: the text is never parsed as JSON."""
    if isinstance(value, dict):
        return {key: _filled(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, words) for inner in value]
    return words.get(value, value) if isinstance(value, str) else value
