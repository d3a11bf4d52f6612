"""What an `http` step asks: any endpoint that answers in JSON."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import orjson
import structlog
from yarl import URL

from engine.http.line import Heard, HttpLine, NoAnswer, Silence
from engine.http.signature import REQUEST_HEADER, now_ms, signed

log = structlog.get_logger(__name__)

SECRET = "{secret}"  # noqa: S105 - stands for one


class Outcome(StrEnum):
    """How a request ended."""

    OK = "ok"
    NOT_FOUND = "not_found"  # 404
    REFUSED = "refused"  # any other 4xx
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Question:
    """`request_id`: the same for the same question asked again, whoever asks it. In `headers`, `{secret}` stands for
    what is in `secret_file`. `sign`: as the identity endpoint's requests are. `private`: a name may lead into the
    company's own network. `wants_json`: the answer is to be read, not only its status."""

    method: str
    url: URL
    request_id: str
    deadline_s: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    secret_file: Path | None = None
    sign: bool = False
    private: bool = False
    wants_json: bool = True


@dataclass(frozen=True, slots=True)
class Answered:
    """`content`: the JSON of an `ok`. `detail`: for the timeline, why there is none."""

    outcome: Outcome
    content: Any = None
    ms: int = 0
    detail: str = ""


class SelfService:
    """Open it before the first question; `secret` is the one that is shared with the identity endpoint."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._outside = HttpLine(public_only=True)
        self._inside = HttpLine()

    async def open(self) -> None:
        """To be called on the event loop that asks."""
        await self._outside.open()
        await self._inside.open()

    async def close(self) -> None:
        """Ends what is under way."""
        await self._outside.close()
        await self._inside.close()

    async def ask(self, question: Question) -> Answered:
        """The answer, or the way in which there is none. Raises for no fault of the endpoint."""
        began = time.perf_counter()
        line = self._inside if question.private else self._outside
        content, detail = None, ""
        try:
            headers = {**await _headers(question), **self._proof(question), REQUEST_HEADER: question.request_id}
            heard = await line.ask(
                question.method, question.url, headers=headers, body=question.body, deadline_s=question.deadline_s
            )
            outcome = _outcome(heard)
            if outcome is Outcome.OK and question.wants_json:
                content = _json(heard)
            elif outcome is not Outcome.OK:
                detail = f"HTTP {heard.status}"
        except NoAnswer as failure:
            outcome, detail = Outcome(failure.silence.value), failure.detail
            log.warning("http.no_answer", request=question.request_id, host=question.url.host, detail=detail)
        return Answered(outcome, content, round((time.perf_counter() - began) * 1000), detail)

    def _proof(self, question: Question) -> dict[str, str]:
        """A GET has no body that would say what is asked, so that the first line is signed with it."""
        if not question.sign:
            return {}
        line = f"{question.method} {question.url.raw_path_qs}\n".encode()
        return signed(self._secret, now_ms(), line + (question.body or b""))


async def _headers(question: Question) -> dict[str, str]:
    """Raises NoAnswer if there is no secret to be read."""
    headers = dict(question.headers)
    if question.body is not None:
        headers.setdefault("Content-Type", "application/json")
    if question.secret_file is None:
        return headers
    try:
        secret = (await asyncio.to_thread(question.secret_file.read_text, encoding="utf-8")).strip()
    except (OSError, UnicodeDecodeError) as error:
        remedy = f"the secret in {question.secret_file} cannot be read: {error}"
        raise NoAnswer(Silence.INVALID, remedy) from None
    if not secret or not secret.isprintable():
        raise NoAnswer(Silence.INVALID, f"the secret in {question.secret_file} is not one line of text")
    return {name: value.replace(SECRET, secret) for name, value in headers.items()}


def _outcome(heard: Heard) -> Outcome:
    if 200 <= heard.status < 300:
        return Outcome.OK
    if heard.status == 404:
        return Outcome.NOT_FOUND
    return Outcome.REFUSED if 400 <= heard.status < 500 else Outcome.INVALID


def _json(heard: Heard) -> Any:
    try:
        return orjson.loads(heard.text)
    except orjson.JSONDecodeError:
        raise NoAnswer(Silence.INVALID, "the answer is not JSON") from None
