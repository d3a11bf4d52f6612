"""A circuit breaker: a dead endpoint costs callers no time, and is not drowned when it comes back."""

import random
import time
from collections.abc import Callable
from enum import StrEnum

import structlog

log = structlog.get_logger(__name__)


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Event(StrEnum):
    TRIPPED = "tripped"  # enough failures in a row
    RESTED = "rested"  # the pause is over and a caller is here to try
    SUCCEEDED = "succeeded"  # the probe was answered
    FAILED = "failed"  # the probe was not
    ABANDONED = "abandoned"  # the probe's caller hung up: it says nothing, the next caller probes


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.CLOSED, Event.TRIPPED): State.OPEN,
    (State.OPEN, Event.RESTED): State.HALF_OPEN,
    (State.HALF_OPEN, Event.SUCCEEDED): State.CLOSED,
    (State.HALF_OPEN, Event.FAILED): State.OPEN,
    (State.HALF_OPEN, Event.ABANDONED): State.OPEN,
}


class Breaker:
    """Every `admit()` that returns a ticket is followed by exactly one `succeeded`, `failed` or `abandoned`.

    Opens after `failures` in a row, for `pause_s` seconds give or take a fifth (so that many engines do not
    probe at once); then one request at a time is let through until one succeeds. Late results of requests
    that began before the last transition are ignored.
    """

    def __init__(self, *, failures: int = 5, pause_s: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.state = State.CLOSED
        self._limit = failures
        self._pause_s = pause_s
        self._clock = clock
        self._in_a_row = 0
        self._rested_at = 0.0
        self._era = 0

    def admit(self) -> int | None:
        """A ticket for one request, or None when there should be none now."""
        if self.state is State.OPEN and self._clock() >= self._rested_at:
            self._move(Event.RESTED)
            return self._era
        return self._era if self.state is State.CLOSED else None

    def succeeded(self, ticket: int) -> None:
        if ticket != self._era:
            return
        self._in_a_row = 0
        if self.state is State.HALF_OPEN:
            self._move(Event.SUCCEEDED)

    def failed(self, ticket: int) -> None:
        if ticket != self._era:
            return
        self._in_a_row += 1
        if self.state is State.HALF_OPEN:
            self._rest(Event.FAILED)
        elif self._in_a_row >= self._limit:
            self._rest(Event.TRIPPED)

    def abandoned(self, ticket: int) -> None:
        if ticket == self._era and self.state is State.HALF_OPEN:
            self._rested_at = self._clock()
            self._move(Event.ABANDONED)

    def _rest(self, event: Event) -> None:
        self._rested_at = self._clock() + self._pause_s * random.uniform(0.8, 1.2)  # noqa: S311 (jitter)
        self._move(event)

    def _move(self, event: Event) -> None:
        before, self.state = self.state, TRANSITIONS[self.state, event]
        self._era += 1
        self._in_a_row = 0
        log.warning("http.breaker", was=before.value, because=event.value, now=self.state.value)
