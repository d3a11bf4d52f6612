"""One callback: who is to be called, by which queue, and how far that has got."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from engine.callbacks.life import CLOSED, State, check

_BEGINNING = "callback-"


def item_of(queue: str, number: str) -> str:
    """What the ACD knows it by, without the number: there is one for a number and a queue, whoever asks."""
    digest = hashlib.blake2s(f"{queue}\n{number}".encode(), digest_size=10).hexdigest()
    return f"{_BEGINNING}{digest}"


def is_callback(item_id: str) -> bool:
    """Whether it is one of ours: calls have other ids."""
    return item_id.startswith(_BEGINNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One request. `number` is E.164; `asked_ms` when they asked, `placed_ms` since when they count as waiting: since
    they first came to a queue. `next_ms`: no try before that; 0 when it is a matter of the next free agent."""

    id: str
    call_id: str
    queue: str
    number: str
    asked_ms: int
    placed_ms: int
    head_start_ms: int = 0
    require: str = ""
    language: str = "zh-CN"
    name: str = ""
    state: State = State.REQUESTED
    attempts: int = 0
    next_ms: int = 0
    reason: str = ""
    closed_ms: int | None = None
    closed_by: str = ""

    @property
    def item(self) -> str:
        """The ACD's id for it."""
        return item_of(self.queue, self.number)

    @property
    def is_closed(self) -> bool:
        """Whether nobody will be called any more."""
        return self.state in CLOSED

    def become(self, state: State, now_ms: int, *, reason: str = "", by: str = "", next_ms: int = 0) -> Callback:
        """As it is from now on; a try counts as soon as it begins. Raises IllegalTransition."""
        check(self.state, state)
        closed = state in CLOSED
        return replace(
            self,
            state=state,
            reason=reason,
            next_ms=next_ms,
            attempts=self.attempts + (state is State.DIALLING),
            closed_ms=now_ms if closed else None,
            closed_by=by if closed else "",
        )
