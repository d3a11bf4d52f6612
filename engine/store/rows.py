"""The rows that the database keeps, as the rest of the engine sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_INT64 = 2**63 - 1


class EndReason(StrEnum):
    """Why a call ended; exactly one per call."""

    COMPLETED_BY_CALLER = "completed_by_caller"
    COMPLETED_BY_AGENT = "completed_by_agent"
    COMPLETED_BY_OUTSIDE = "completed_by_outside"
    ABANDONED_IVR = "abandoned_ivr"
    ABANDONED_WAITING = "abandoned_waiting"
    ABANDONED_RINGING = "abandoned_ringing"
    FLOW_HANGUP = "flow_hangup"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    FALLBACK = "fallback"
    RETURNED = "returned"
    NOT_CONFIRMED = "not_confirmed"
    SYSTEM_FAILURE = "system_failure"
    SHUTDOWN = "shutdown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One call. Moments (`*_ms` of arrived, answered, queued, connected, ended) are epoch milliseconds, None
    when they never came; wait, ring and talk are durations in milliseconds. `number` is E.164 or "".
    `outside`: who was reached without the ACD, an outside number (E.164) or a branch's extension. `direction`: "in", or
    "callback" where we have called."""

    id: str
    dialled: str = ""
    number: str = ""
    presentation: str = ""
    area: str = ""
    customer_name: str = ""
    tier: str = ""
    flow_path: tuple[str, ...] = ()
    queue: str = ""
    agent: str = ""
    outside: str = ""
    direction: str = "in"
    arrived_ms: int
    answered_ms: int | None = None
    queued_ms: int | None = None
    connected_ms: int | None = None
    ended_ms: int
    wait_ms: int = 0
    ring_ms: int = 0
    talk_ms: int = 0
    offers: int = 0
    end_reason: str

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "CallRow":
        """The row of a record that came over the wire: columns it lacks are empty, others are ignored, and
        what comes out is storable whatever came in. Raises ValueError where it names no call."""
        call_id = text_of(record.get("id"))
        if not call_id:
            raise ValueError("a call's record has no id")
        ended = moment_of(record.get("ended_ms"))
        arrived = moment_of(record.get("arrived_ms"))
        return cls(
            id=call_id,
            dialled=text_of(record.get("dialled")),
            number=text_of(record.get("number")),
            presentation=text_of(record.get("presentation")),
            area=text_of(record.get("area")),
            customer_name=text_of(record.get("customer_name")),
            tier=text_of(record.get("tier")),
            flow_path=_path(record.get("flow_path")),
            queue=text_of(record.get("queue")),
            agent=text_of(record.get("agent")),
            outside=text_of(record.get("outside")),
            direction=text_of(record.get("direction") or "in"),
            arrived_ms=(ended or 0) if arrived is None else arrived,
            answered_ms=moment_of(record.get("answered_ms")),
            queued_ms=moment_of(record.get("queued_ms")),
            connected_ms=moment_of(record.get("connected_ms")),
            ended_ms=(arrived or 0) if ended is None else ended,
            wait_ms=moment_of(record.get("wait_ms")) or 0,
            ring_ms=moment_of(record.get("ring_ms")) or 0,
            talk_ms=moment_of(record.get("talk_ms")) or 0,
            offers=moment_of(record.get("offers")) or 0,
            end_reason=text_of(record.get("end_reason")),
        )


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of a call: `id` is its id in the journal's stream, `data` the whole entry."""

    id: str
    call_id: str
    at_ms: int
    type: str
    data: Mapping[str, Any]


def storable_text(value: str) -> str:
    """PostgreSQL's text holds no NUL; a caller's name may."""
    return value.replace("\x00", "") if "\x00" in value else value


def storable_int(value: int) -> int:
    """Both databases keep 64 bits."""
    return min(max(value, -_INT64), _INT64)


def text_of(value: Any) -> str:
    """What a column of text takes of a value from the wire."""
    return "" if value is None else storable_text(str(value))


def moment_of(value: Any) -> int | None:
    """What a column of milliseconds takes of a value from the wire."""
    if value is None or value == "":
        return None
    try:
        return storable_int(int(float(value)) if not isinstance(value, int) else int(value))
    except (TypeError, ValueError, OverflowError):
        return None


def _path(value: Any) -> tuple[str, ...]:
    return tuple(text_of(step) for step in value) if isinstance(value, list | tuple) else ()
