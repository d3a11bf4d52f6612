"""The rows of what callers leave behind, and how they come out of the events of their calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.store.rows import moment_of, text_of


class Closed(StrEnum):
    """How somebody closes a request to be called back by hand."""

    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailRow:
    """What a caller has said. `number` is E.164 or ""; `heard_ms` None while nobody has listened."""

    id: str
    call_id: str
    box: str
    number: str
    left_ms: int
    length_ms: int
    heard_ms: int | None = None
    heard_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRow:
    """Somebody who wants to be called back. `number` is E.164; `state` is one of engine/callbacks/life.py, and
    `closed_ms` None until it is one of the last. `placed_ms`: since when they count as waiting in the queue."""

    id: str
    call_id: str
    queue: str
    number: str
    asked_ms: int
    placed_ms: int = 0
    head_start_ms: int = 0
    require: str = ""
    language: str = "zh-CN"
    state: str = "requested"
    attempts: int = 0
    next_ms: int = 0
    reason: str = ""
    closed_ms: int | None = None
    closed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyRow:
    """One answer to one question of a survey."""

    call_id: str
    question: str
    score: int
    answered_ms: int


LeftRow = VoicemailRow | CallbackRow | SurveyRow


def left_behind(kind: str, call_id: str, at_ms: int, data: Mapping[str, Any]) -> LeftRow | None:
    """The row of an event by which a caller leaves something behind; None for every other event, and for one that
    lacks what makes a row."""
    make = _LEFT_BEHIND.get(kind)
    row = make(call_id, at_ms, data) if make is not None else None
    return row if row is not None and all(getattr(row, key) for key in _KEYS[type(row)]) else None


def _voicemail(call_id: str, at_ms: int, data: Mapping[str, Any]) -> LeftRow:
    return VoicemailRow(
        id=text_of(data.get("voicemail")),
        call_id=call_id,
        box=text_of(data.get("box")),
        number=text_of(data.get("number")),
        left_ms=at_ms,
        length_ms=moment_of(data.get("length_ms")) or 0,
    )


def _callback(call_id: str, at_ms: int, data: Mapping[str, Any]) -> LeftRow:
    return CallbackRow(
        id=text_of(data.get("callback")),
        call_id=call_id,
        queue=text_of(data.get("queue")),
        number=text_of(data.get("number")),
        asked_ms=at_ms,
        placed_ms=moment_of(data.get("placed_ms")) or at_ms,
        head_start_ms=moment_of(data.get("head_start_ms")) or 0,
        require=text_of(data.get("require")),
        language=text_of(data.get("language") or "zh-CN"),
    )


def _survey(call_id: str, at_ms: int, data: Mapping[str, Any]) -> LeftRow:
    score = moment_of(data.get("score")) or 0
    return SurveyRow(call_id=call_id, question=text_of(data.get("question")), score=score, answered_ms=at_ms)


_LEFT_BEHIND: Mapping[str, Callable[[str, int, Mapping[str, Any]], LeftRow]] = {
    "voicemail.left": _voicemail,
    "callback.requested": _callback,
    "survey.answered": _survey,
}
# What such a row cannot be without.
_KEYS: Mapping[type[LeftRow], tuple[str, ...]] = {
    VoicemailRow: ("id", "box"),
    CallbackRow: ("id", "queue", "number"),
    SurveyRow: ("call_id", "question", "score"),
}
